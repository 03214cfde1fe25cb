/** `node --import queuescope/frames app.js`: reports show the `await` at which each task in flight stands. */
import { hookIntoLoading } from "./frames/hooks.js";
import { installRuntime } from "./frames/runtime.js";

if (installRuntime().hook()) hookIntoLoading();
