import type { NodeSDKConfiguration } from "@opentelemetry/sdk-node";
import { processWide } from "../../base/process-wide.js";
import { randomId } from "../../base/random-id.js";

/**
 * The SDK's option for a resource with a `service.instance.id`: by OTLP it is what tells the processes of a service apart. One that
 * the environment or a detector has goes first. From its 3.x line on the SDK makes one by itself, and has nothing to make it with.
 */
export function resourceOfInstance(
  sdk: typeof import("@opentelemetry/sdk-node"),
): Pick<NodeSDKConfiguration, "resource"> | undefined {
  if (!("resources" in sdk)) return undefined;
  const { defaultResource, resourceFromAttributes } = sdk.resources;
  // Of this process, or of this thread: each has queues of its own.
  processWide.sdk.instanceId ??= randomId();
  const { instanceId } = processWide.sdk;
  return { resource: defaultResource().merge(resourceFromAttributes({ "service.instance.id": instanceId })) };
}
