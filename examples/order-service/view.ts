import { type InspectorServer, serveInspector } from "queuescope/inspect";

/** Serves the live view of this process, for browsers on this machine. Where the port is taken, on any free one: the address is printed. */
export async function serveView(port: number): Promise<InspectorServer> {
  try {
    return await serveInspector({ name: "order-service", port });
  } catch (error) {
    if ((error as { code?: string }).code !== "QUEUE_PORT_IN_USE") throw error;
    return serveInspector({ name: "order-service", port: 0 });
  }
}
