import { patch } from "../../../src/adapters/patch.js";
import type {
  BrokerAdapter,
  BrokerDelivery,
  BrokerFacts,
  Sending,
  Settlement,
} from "../../../src/contracts/index.js";

/** A message as the broker keeps it. */
export interface Message {
  readonly queue: string;
  readonly body: string;
  readonly headers: Record<string, unknown>;
  readonly deliveries: number;
}

type Consumer = (message: Message) => unknown;

/**
 * A message broker within this process, of the kind that RabbitMQ is: clients publish with headers, consumers get messages one at a time
 * and acknowledge them. It shows what the hub makes of an adapter; how an engine behaves is shown with that engine.
 */
export class MemoryBroker {
  private readonly waiting = new Map<string, Message[]>();
  private readonly consumers = new Map<string, Consumer[]>();

  /** Held: a client that is collected as garbage is asked about no more, and a test may have no other use for it. */
  private readonly clients: MemoryClient[] = [];

  connect(): MemoryClient {
    const client = new MemoryClient(this);
    this.clients.push(client);
    return client;
  }

  add(message: Message): void {
    const [consumer, ...others] = this.consumers.get(message.queue) ?? [];
    if (consumer === undefined) this.line(message.queue).push(message);
    else {
      this.consumers.set(message.queue, [...others, consumer]);
      consumer({ ...message, deliveries: message.deliveries + 1 });
    }
  }

  listen(queue: string, consumer: Consumer): void {
    this.consumers.set(queue, [...(this.consumers.get(queue) ?? []), consumer]);
    for (const message of this.line(queue).splice(0)) this.add(message);
  }

  depth(queue: string): number {
    return this.line(queue).length;
  }

  private line(queue: string): Message[] {
    const line = this.waiting.get(queue) ?? [];
    this.waiting.set(queue, line);
    return line;
  }
}

export class MemoryClient {
  readonly closed: (() => void)[] = [];

  constructor(private readonly broker: MemoryBroker) {}

  /** Throws if the headers have more than 20,000 characters, as a server refuses a frame that is too large. */
  publish(queue: string, body: string, headers: Record<string, unknown> = {}): void {
    if (JSON.stringify(headers).length > 20_000) throw new RangeError("the headers are too large");
    this.broker.add({ queue, body, headers: { ...headers }, deliveries: 0 });
  }

  consume(queue: string, consumer: Consumer): void {
    this.broker.listen(queue, consumer);
  }

  ack(_message: Message): void {}

  nack(message: Message, requeue: boolean): void {
    if (requeue) this.broker.add(message);
  }

  close(): void {
    for (const each of this.closed) each();
  }
}

/** The adapter. `facts` is what the broker answers when it is asked, a function what it does then. */
export function memoryAdapter(
  facts: BrokerFacts | ((queue: string, signal: AbortSignal) => Promise<BrokerFacts>) | undefined = undefined,
  options: Partial<Pick<BrokerAdapter, "priorities">> = {},
): BrokerAdapter<MemoryClient> & { readonly answered: Promise<void>; asked: number } {
  let answer: () => void;
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const adapter = {
    system: "memory",
    ...options,
    answered,
    asked: 0,
    attach(client: MemoryClient, hub: Parameters<BrokerAdapter["attach"]>[1]) {
      const open = new Map<Message, BrokerDelivery>();
      const settle = (message: Message, how: Settlement, error?: unknown) => {
        const delivery = open.get(message);
        if (delivery === undefined) return;
        open.delete(message);
        hub.settle(delivery, how, error);
      };
      client.closed.push(() => {
        for (const message of [...open.keys()]) settle(message, "abandoned");
      });
      return patch(client, {
        publish: (original) =>
          function (this: unknown, queue: string, body: string, headers: Record<string, unknown> = {}) {
            const sending: Sending = hub.send({
              name: queue,
              priority: headers.priority as number | undefined,
            });
            const send = (all: object) => sending.run(() => original.call(this, queue, body, all));
            try {
              try {
                send({ ...headers, ...sending.carrier });
              } catch (error) {
                if (!(error instanceof RangeError)) throw error;
                send(headers);
                sending.leftOut();
              }
              sending.done();
            } catch (error) {
              sending.done(error);
              throw error;
            }
          },
        consume: (original) =>
          function (this: unknown, queue: string, consumer: Consumer) {
            original.call(this, queue, (message: Message) => {
              const { headers, deliveries } = message;
              const read = (name: string) => (Object.hasOwn(headers, name) ? headers[name] : undefined);
              const priority = headers.priority as number | undefined;
              const delivery = hub.deliver(read, { queue, attempt: deliveries, priority });
              open.set(message, delivery);
              return hub.run(delivery, () => consumer(message), "ignores");
            });
          },
        ack: (original) =>
          function (this: unknown, message: Message) {
            original.call(this, message);
            settle(message, "success");
          },
        nack: (original) =>
          function (this: unknown, message: Message, requeue: boolean) {
            settle(message, requeue ? "retry" : "failure");
            original.call(this, message, requeue);
          },
      });
    },
    ...(facts === undefined
      ? {}
      : {
          async poll(queue: string, signal: AbortSignal): Promise<BrokerFacts> {
            adapter.asked++;
            try {
              if (typeof facts === "function") return await facts(queue, signal);
              return { depth: 0, oldestAt: null, ...facts };
            } finally {
              // The poller takes it in a few microtasks.
              setImmediate(answer);
            }
          },
        }),
  };
  return adapter;
}
