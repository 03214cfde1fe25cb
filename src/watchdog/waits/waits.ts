import { checkCount } from "../../checks.js";
