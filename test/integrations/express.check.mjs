import { checkWeb } from "./web.mjs";

checkWeb(["app.js"]);
