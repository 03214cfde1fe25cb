import { patch } from "../../src/adapters/patch.js";
import type {
  BrokerAdapter,
  BrokerDelivery,
  BrokerFacts,
  BrokerHub,
  ReadHeader,
  Settlement,
} from "../../src/contracts/index.js";
import type { BrokerKind } from "../../src/testing.js";
import { record } from "../brokers/conformance/record.js";

type Headers = Readonly<Record<string, unknown>>;

interface Letter {
  readonly queue: string;
  readonly text: string;
  readonly headers: Headers;
  deliveries: number;
}

type Listener = (letter: Letter) => unknown;

/** A broker within this process: each of its clients has one letter at a time, and those of a client that is gone come again. */
class Post {
  private readonly waiting: Letter[] = [];
  private readonly idle: { readonly queue: string; readonly take: Listener }[] = [];

  put(letter: Letter, at: "head" | "tail"): void {
    if (at === "head") this.waiting.unshift(letter);
    else this.waiting.push(letter);
    this.hand(letter.queue);
  }

  ready(queue: string, take: Listener): void {
    this.idle.push({ queue, take });
    this.hand(queue);
  }

  leave(take: Listener): void {
    const at = this.idle.findIndex((each) => each.take === take);
    if (at >= 0) this.idle.splice(at, 1);
  }

  depth(queue: string): number {
    return this.waiting.filter((letter) => letter.queue === queue).length;
  }

  private hand(queue: string): void {
    const letter = this.waiting.findIndex((each) => each.queue === queue);
    const client = this.idle.findIndex((each) => each.queue === queue);
    if (letter < 0 || client < 0) return;
    const [next] = this.waiting.splice(letter, 1) as [Letter];
    const [{ take }] = this.idle.splice(client, 1) as [(typeof this.idle)[0]];
    next.deliveries++;
    setImmediate(take, { ...next });
  }
}

/** A client of a {@link Post}. */
export class PostClient {
  /** What it has and has not settled. */
  inHand: Letter | undefined = undefined;
  private listener: { readonly queue: string; readonly take: Listener } | undefined = undefined;

  constructor(private readonly post: Post) {}

  /** Throws a `RangeError` for the header `refused`. */
  publish(queue: string, text: string, headers: Headers = {}): void {
    if (headers.refused !== undefined) throw new RangeError("the letter is refused");
    this.post.put({ queue, text, headers: { ...headers }, deliveries: 0 }, "tail");
  }

  listen(queue: string, listener: Listener): void {
    const take = (letter: Letter) => {
      this.inHand = letter;
      listener(letter);
    };
    this.listener = { queue, take };
    this.post.ready(queue, take);
  }

  settle(letter: Letter, isAgain: boolean, _hasFailed = false): void {
    if (letter !== this.inHand) return;
    this.inHand = undefined;
    if (isAgain) this.post.put(letter, "head");
    if (this.listener !== undefined) this.post.ready(letter.queue, this.listener.take);
  }

  close(): void {
    const { inHand, listener } = this;
    this.inHand = undefined;
    this.listener = undefined;
    if (listener !== undefined) this.post.leave(listener.take);
    if (inHand !== undefined) this.post.put(inHand, "head");
  }
}

/** The ways in which an adapter can be wrong; each takes the place of what would be right. */
export interface Faults {
  hub?(hub: BrokerHub): Partial<BrokerHub>;
  /** What is sent as headers. */
  headers?(own: Headers, carrier: Headers): Headers;
  read?(headers: Headers): ReadHeader;
  /** What the user is told where the engine throws. */
  refused?(error: unknown): unknown;
  detach?(restore: () => void): void;
  /** Whether a consumer goes on telling after that. */
  isAlwaysOpen?: boolean;
  facts?(facts: BrokerFacts): BrokerFacts;
}

function adapterWith(post: Post, faults: Faults): BrokerAdapter<PostClient> {
  return {
    system: "post",
    attach(client, itsHub) {
      const hub = Object.assign(Object.create(itsHub), faults.hub?.(itsHub)) as BrokerHub;
      const open = new Map<Letter, BrokerDelivery>();
      let isOpen = true;
      const over = (letter: Letter | undefined, how: Settlement) => {
        const delivery = open.get(letter!);
        open.delete(letter!);
        if (delivery !== undefined) hub.settle(delivery, how);
      };
      const restore = patch(client, {
        publish: (original) =>
          function (this: unknown, queue: string, text: string, own: Headers = {}) {
            const sending = hub.send(queue);
            const all = faults.headers?.(own, sending.carrier) ?? { ...own, ...sending.carrier };
            try {
              sending.run(() => original.call(this, queue, text, all));
              sending.done();
            } catch (error) {
              sending.done(error);
              throw faults.refused?.(error) ?? error;
            }
          },
        listen: (original) =>
          function (this: unknown, queue: string, listener: Listener) {
            original.call(this, queue, (letter: Letter) => {
              if (!isOpen && faults.isAlwaysOpen !== true) return listener(letter);
              const { headers, deliveries } = letter;
              const read: ReadHeader =
                faults.read?.(headers) ??
                ((name) => (Object.hasOwn(headers, name) ? headers[name] : undefined));
              const delivery = hub.deliver(read, { queue, attempt: deliveries });
              open.set(letter, delivery);
              return hub.run(delivery, () => listener(letter), "ignores");
            });
          },
        settle: (original) =>
          function (this: unknown, letter: Letter, isAgain: boolean, hasFailed = false) {
            if (isAgain) over(letter, "retry");
            else over(letter, hasFailed ? "failure" : "success");
            original.call(this, letter, isAgain, hasFailed);
          },
        close: (original) =>
          function (this: unknown) {
            over(client.inHand, "abandoned");
            original.call(this);
          },
      });
      const detach = () => {
        isOpen = false;
        restore();
      };
      return () => (faults.detach ? faults.detach(detach) : detach());
    },
    async poll(queue) {
      const facts = { depth: post.depth(queue) };
      return faults.facts?.(facts) ?? facts;
    },
  };
}

export function postWith(faults: Faults): BrokerKind<PostClient> {
  const post = new Post();
  return {
    adapter: () => adapterWith(post, faults),
    record,
    producer({ queue }) {
      const client = new PostClient(post);
      return {
        client,
        send: async (text, options) => client.publish(queue, text, options as Headers),
        close: () => client.close(),
      };
    },
    consumer({ queue, deliveries }) {
      const client = new PostClient(post);
      return {
        client,
        consume: (handle) =>
          client.listen(queue, (letter) =>
            handle(letter.text, { shop: letter.headers.shop }).then(
              () => client.settle(letter, false),
              () => client.settle(letter, letter.deliveries < deliveries, true),
            ),
          ),
        abandon: () => client.close(),
        close: () => client.close(),
      };
    },
    carrying: (carrier) => carrier,
    own: { options: { shop: "Oslo" }, seen: { shop: "Oslo" } },
    refused: { refused: true },
    errors: "untold",
    polls: ["depth"],
  };
}
