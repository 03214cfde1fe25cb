import { register } from "node:module";
import tracer from "dd-trace";

register("dd-trace/loader-hook.mjs", import.meta.url);
tracer.init({ service: "shop", logInjection: true });
// Spans of the OpenTelemetry API, such as those of queues, become Datadog's.
new tracer.TracerProvider().register();
