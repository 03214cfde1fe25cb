/** What a bundler puts in front of code that its plugin has transformed. */
import { installRuntime } from "./runtime.js";

installRuntime();
