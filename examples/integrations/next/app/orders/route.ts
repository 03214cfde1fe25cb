import { QueueFullError, QueueShutDownError } from "queuescope";
import { type Order, shop } from "../../shop";

export async function POST(request: Request): Promise<Response> {
  const { id } = (await request.json()) as Order;
  const correlationId = request.headers.get("x-correlation-id") ?? undefined;
  try {
    await shop.orders.put({ id }, { correlationId });
    return Response.json({ id }, { status: 202 });
  } catch (error) {
    if (!(error instanceof QueueFullError || error instanceof QueueShutDownError)) throw error;
    return Response.json({ error: error.message }, { status: 503, headers: { "retry-after": "1" } });
  }
}
