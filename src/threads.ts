/** `queuescope/threads`: handlers whose work is done in threads. */
export * from "./worker/threads.js";
