/** `queuescope/inspect`: the live view into a running process. */

export { PortInUseError } from "./base/errors.js";
export { type Inspection, inspect } from "./inspector/inspect.js";
export type { InspectOptions, InspectorHandlerOptions, ServeInspectorOptions } from "./inspector/options.js";
export type * from "./inspector/protocol.js";
export {
  type InspectorHandler,
  type InspectorServer,
  inspectorHandler,
  serveInspector,
} from "./inspector/serve.js";
