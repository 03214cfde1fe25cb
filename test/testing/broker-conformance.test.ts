import { propagation } from "@opentelemetry/api";
import { describe, expect, it } from "vitest";
import type { BrokerHub } from "../../src/contracts/index.js";
import { brokerConformance } from "../../src/testing.js";
import { type Faults, postWith } from "./post.js";

/** For what never comes. */
const LIMIT_MS = 1_500;

const CASES = brokerConformance(postWith({}));

/** The one name that has all of this in it. */
function named(part: string): string {
  const [name, ...more] = CASES.map((each) => each.name).filter((each) => each.includes(part));
  if (name === undefined || more.length > 0) throw new Error(`no case, or several, are named "${part}"`);
  return name;
}

const CONTEXT = named("has one send and one process span");
const OPENED = named("opened in a trace");
const BARE = named("a message without a carrier");
const HOSTILE = named("a hostile carrier");
const FAILED = named("a handler that fails");
const RETRY = named("a retry");
const IN_FLIGHT = named("in flight until it is settled");
const ABANDONED = named("is abandoned");
const BATCH = named("a batch of 200");
const OPTIONS = named("the user's own options");
const REFUSED = named("what the engine refuses");
const THROWS = named("whatever throws");
const DETACH = named("detach restores");
const FIGURES = named("the broker's figures");

/** What that case says of an adapter with these faults; undefined if it has nothing against it. */
async function verdict(name: string, faults: Faults): Promise<string | undefined> {
  const { run } = brokerConformance({ ...postWith(faults), limitMs: LIMIT_MS }).find(
    (each) => each.name === name,
  )!;
  try {
    await run();
  } catch (error) {
    return String(error);
  }
  return undefined;
}

const sends = (change: (sending: ReturnType<BrokerHub["send"]>) => object) => (hub: BrokerHub) => ({
  send: ((...args) => {
    const sending = hub.send(...args);
    return { ...sending, ...change(sending) };
  }) as BrokerHub["send"],
});

const delivers = (change: object) => (hub: BrokerHub) => ({
  deliver: ((read, facts) => hub.deliver(read, { ...facts, ...change })) as BrokerHub["deliver"],
});

describe("the suite for brokers", () => {
  it.each(CASES)("has nothing against an adapter that is right: $name", ({ run }) => run());

  const broken: readonly (readonly [string, Faults, readonly string[]])[] = [
    ["loses the carrier", { hub: sends(() => ({ carrier: {} })) }, [CONTEXT, ABANDONED, BATCH]],
    ["runs handlers out of their context", { hub: () => ({ run: (_, fn) => fn() }) }, [CONTEXT, OPENED]],
    [
      "tells each delivery twice",
      {
        hub: (hub) => ({
          deliver(...args) {
            hub.deliver(...args);
            return hub.deliver(...args);
          },
        }),
      },
      [CONTEXT, IN_FLIGHT, BATCH],
    ],
    ["never says that a message was sent", { hub: sends(() => ({ done() {} })) }, [CONTEXT]],
    ["never settles", { hub: () => ({ settle() {} }) }, [CONTEXT, IN_FLIGHT]],
    [
      "tells failures as successes",
      { hub: (hub) => ({ settle: (delivery) => hub.settle(delivery, "success") }) },
      [FAILED, RETRY, ABANDONED],
    ],
    ["takes each attempt for the first", { hub: delivers({ attempt: 1 }) }, [RETRY, ABANDONED]],
    ["takes each attempt for the second", { hub: delivers({ attempt: 2 }) }, [CONTEXT, RETRY]],
    [
      "takes what is lost for a failure",
      {
        hub: (hub) => ({
          settle: (delivery, how) => hub.settle(delivery, how === "abandoned" ? "failure" : how),
        }),
      },
      [ABANDONED],
    ],
    ["says of each message that it never had a producer", { hub: delivers({ hasNoProducer: true }) }, [BARE]],
    ["writes into the user's headers", { headers: (own, carrier) => Object.assign(own, carrier) }, [OPTIONS]],
    ["drops the user's headers", { headers: (_, carrier) => carrier }, [OPTIONS]],
    [
      "reads headers of others' prototypes",
      {
        read: (headers) => (name) =>
          headers[name] ??
          (Object.getOwnPropertyDescriptor(headers, "__proto__")?.value as typeof headers | undefined)?.[
            name
          ],
      },
      [HOSTILE],
    ],
    [
      "makes texts of what isn't one",
      { read: (headers) => (name) => String(headers[name] ?? "") },
      [HOSTILE],
    ],
    ["has errors of its own", { refused: (cause) => new Error("not sent", { cause }) }, [REFUSED]],
    ["counts as sent what was refused", { hub: sends(({ done }) => ({ done: () => done() })) }, [REFUSED]],
    [
      "asks OpenTelemetry unguarded",
      {
        hub: (hub) => ({
          send(...args) {
            propagation.fields();
            return hub.send(...args);
          },
        }),
      },
      [THROWS],
    ],
    ["doesn't restore", { detach: () => {} }, [DETACH]],
    ["restores, and goes on telling", { isAlwaysOpen: true }, [DETACH]],
    ["takes the unknown for 0", { facts: (facts) => ({ ...facts, delayed: 0 }) }, [FIGURES]],
    ["has another depth than the broker", { facts: () => ({ depth: 4 }) }, [FIGURES]],
    ["tells no depth", { facts: () => ({}) }, [FIGURES]],
  ];

  it.each(broken.flatMap(([what, faults, names]) => names.map((name) => [what, name, faults] as const)))(
    "fails an adapter that %s: %s",
    async (_, name, faults) => {
      expect(await verdict(name, faults)).toMatch(/^(AssertionError|TypeError|Error)/);
    },
  );

  it("names each case once, and leaves out those about what the kind does not offer", () => {
    const names = CASES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const { refused: _, ...rest } = postWith({});
    const fewer = brokerConformance(rest).map(({ name }) => name);
    expect(names.filter((name) => !fewer.includes(name))).toEqual([REFUSED]);
    const more = brokerConformance({
      ...postWith({}),
      isTracedElsewhere: true,
      otherProcess: { script: "none" },
    });
    expect(more.length).toBe(names.length + 4);
  });
});
