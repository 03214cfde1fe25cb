import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { hasRabbitMQ, RabbitServer } from "../../test/brokers/support/rabbitmq.js";
import { hasRedis, RedisServer } from "../../test/brokers/support/redis.js";
import type { How, Spent } from "../drivers/brokers/contestant.js";
import { GOALS } from "../goals.js";
import { AGAIN, compare, differences, duels } from "../harness.js";
import type { Findings, Pace, Row, Scenario } from "../scenario.js";
import { randoms, shuffled } from "../statistics.js";

/** The contestants, by what they are called in rows. */
const WAYS: Readonly<Record<string, How>> = {
  bare: "bare",
  [AGAIN]: "bare",
  ours: "ours",
  "ours, no parent": "ours, no parent",
  theirs: "theirs",
};
/** What warms up before anything counts, and what counts; the first rounds of a process are several times as dear. */
const ROUNDS = { quick: { warmUp: 2, counted: 3 }, full: { warmUp: 8, counted: 15 } };

/** A broker, and the other instrumentation that there is for it. */
interface Engine {
  readonly name: string;
  readonly peer: string;
  readonly server: string;
  readonly isHere: () => boolean;
  readonly start: () => Promise<{ readonly address: string; stop(): Promise<void> }>;
  readonly script: string;
  /** Messages in a round. */
  readonly messages: { readonly quick: number; readonly full: number };
}

const ENGINES: readonly Engine[] = [
  {
    name: "BullMQ 6",
    peer: "bullmq-otel",
    server: "redis-server",
    isHere: hasRedis,
    async start() {
      const redis = await RedisServer.start();
      return { address: String(redis.port), stop: () => redis.stop() };
    },
    script: "bullmq.ts",
    messages: { quick: 200, full: 1_000 },
  },
  {
    name: "amqplib",
    peer: "contrib amqplib",
    server: "rabbitmq-server",
    isHere: hasRabbitMQ,
    async start() {
      const rabbit = await RabbitServer.start();
      return { address: rabbit.url, stop: () => rabbit.stop() };
    },
    script: "amqplib.ts",
    messages: { quick: 500, full: 2_000 },
  },
];

/** A contestant in a process of its own. */
class Lane {
  readonly samples: number[] = [];
  private spans = 0;
  private messages = 0;

  private constructor(
    readonly name: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(name: string, how: How, script: string, address: string): Promise<Lane> {
    const file = fileURLToPath(new URL(`../drivers/brokers/${script}`, import.meta.url));
    const child = fork(file, [how, address]);
    await heard(child);
    return new Lane(name, child);
  }

  get spansPerMessage(): number {
    return this.spans / this.messages;
  }

  async round(messages: number, counts: boolean): Promise<void> {
    this.child.send(messages);
    const { micros, spans } = await heard<Spent>(this.child);
    if (!counts) return;
    this.samples.push((micros * 1_000) / messages);
    this.spans += spans;
    this.messages += messages;
  }

  stop(): void {
    this.child.kill("SIGKILL");
  }
}

/** The child's next word. Rejects if it ends instead. */
async function heard<V>(child: ChildProcess): Promise<V> {
  const over = new AbortController();
  const ended = once(child, "exit", over).then(([code, signal]) => {
    throw new Error(`a contestant has ended: ${signal ?? code}`);
  });
  try {
    return (await Promise.race([once(child, "message", over), ended]))[0] as V;
  } finally {
    ended.catch(() => {});
    over.abort();
  }
}

async function run(engine: Engine, pace: Pace): Promise<Findings> {
  const { name, peer, server } = engine;
  if (!engine.isHere()) return { rows: [], skipped: `${name}: skipped, ${server} is missing` };
  const { address, stop } = await engine.start();
  const lanes: Lane[] = [];
  try {
    for (const [called, how] of Object.entries(WAYS)) {
      lanes.push(await Lane.start(called, how, engine.script, address));
    }
    const messages = pace.quick ? engine.messages.quick : engine.messages.full;
    const { warmUp, counted } = pace.quick ? ROUNDS.quick : ROUNDS.full;
    const random = randoms(5);
    for (let round = 0; round < warmUp + counted; round++) {
      for (const lane of shuffled(lanes, random)) await lane.round(messages, round >= warmUp);
    }
    return { rows: rowsOf(name, peer, new Map(lanes.map((lane) => [lane.name, lane]))) };
  } finally {
    for (const lane of lanes) lane.stop();
    await stop();
  }
}

function rowsOf(name: string, peerName: string, lanes: ReadonlyMap<string, Lane>): Row[] {
  const samples = new Map([...lanes].map(([called, lane]) => [called, lane.samples]));
  const of = (called: string) => samples.get(called)!;
  const added = (called: string) => differences(of(called), of("bare"));
  const theirs = lanes.get("theirs")!;
  const spans = (called: string) => [lanes.get(called)!.spansPerMessage];
  const { withSpans, noParentAgainstOverhead, spansAgainstTheirs } = GOALS.brokers;
  return [
    ...duels(name, samples, "bare", [AGAIN]),
    ...duels(name, samples, "ours", ["bare"]),
    compare({ case: name, ours: of("ours"), peer: theirs.samples, peerName, goal: withSpans }),
    compare({ case: `${name}, added`, ours: added("ours"), peer: added("theirs"), peerName }),
    compare({
      case: `${name}, added without a parent`,
      ours: added("ours, no parent"),
      peer: added("theirs"),
      peerName,
      goal: noParentAgainstOverhead,
    }),
    compare({
      case: `${name}, spans of a message`,
      ours: spans("ours"),
      peer: spans("theirs"),
      peerName,
      goal: spansAgainstTheirs,
      unit: "spans",
    }),
    compare({
      case: `${name}, spans without a parent`,
      ours: spans("ours, no parent"),
      peer: spans("theirs"),
      peerName,
      unit: "spans",
    }),
  ];
}

/** What a message of a broker costs the processes that send and handle it: CPU time, and spans. The server's own time is not in it. */
export const brokers: readonly Scenario[] = ENGINES.map((engine) => ({
  name: engine.name,
  run: (pace) => run(engine, pace),
}));
