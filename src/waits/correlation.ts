import { processWide } from "../base/process-wide.js";

/** The one storage of this library: there is a sheet in what it holds while somebody looks on at a task. */
export const { correlation } = processWide;
