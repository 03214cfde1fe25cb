/** `queuescope/frames-esbuild`: the plugin that does for a bundle what `queuescope/frames` does for what Node loads. */
export { type FramesOptions, frames } from "./frames/esbuild.js";
