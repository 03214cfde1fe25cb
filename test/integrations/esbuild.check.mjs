import { checkBundle } from "./bundle.mjs";

checkBundle();
