import { instrument, instrumentHandler } from "queuescope";
import { registerContext, registerMetrics, registerTracing } from "../drivers/telemetry.js";
import { apart } from "../drivers/wrapped/apart.js";
import { type Lines, TASKS, type Wrapping } from "../drivers/wrapped/line.js";
import { GOALS } from "../goals.js";
import { AGAIN, type Contestant, compare, differences, duels, measure, type Samples } from "../harness.js";
import { LIMIT } from "../report.js";
import type { Row, Scenario } from "../scenario.js";

type Traces = "always" | "never";
type LineModule = typeof import("../drivers/wrapped/line.js");
type HandwrittenModule = typeof import("../drivers/wrapped/handwritten-tasks.js");

/** A library that is wrapped. */
interface Subject {
  readonly name: string;
  /** Its lines, of source that belongs to the contestant. */
  readonly lines: (contestant: string) => Promise<Lines>;
}

const fastq = (contestant: string) =>
  apart<typeof import("../drivers/wrapped/fastq.js")>("./fastq.js", contestant);
const async = (contestant: string) =>
  apart<typeof import("../drivers/wrapped/async.js")>("./async.js", contestant);

const SUBJECTS: readonly Subject[] = [
  {
    name: "p-queue",
    lines: async (contestant) =>
      (await apart<typeof import("../drivers/wrapped/p-queue.js")>("./p-queue.js", contestant)).pQueue,
  },
  { name: "fastq callback", lines: async (contestant) => (await fastq(contestant)).fastqCallback },
  { name: "fastq.promise", lines: async (contestant) => (await fastq(contestant)).fastqPromise },
  { name: "async.queue", lines: async (contestant) => (await async(contestant)).asyncQueue },
  { name: "async.priorityQueue", lines: async (contestant) => (await async(contestant)).asyncPriorityQueue },
];

/** How many tasks may be under way. */
const DEPTHS = { "fill then drain": Number.POSITIVE_INFINITY, steady: 64 };

const BARE: Wrapping = { queue: (queue) => queue, worker: (worker) => worker };
let queues = 0;

/** A worker and its queue find each other by name, so each queue has one of its own. */
function wrapping(traces: Traces): Wrapping {
  const name = `bench.${queues++}`;
  return {
    queue: (queue) => instrument(queue, { name, traces }),
    worker: (worker) => instrumentHandler(worker, { name }),
  };
}

/** One library under one load: bare, wrapped, and with telemetry written by hand. */
async function contestantsOf(subject: Subject, depth: number, traces: Traces): Promise<Contestant[]> {
  const apartFor = async (name: string) => {
    const contestant = `${name} ${depth}`;
    const { drive } = await apart<LineModule>("./line.js", contestant);
    return { drive, lines: await subject.lines(contestant) };
  };
  const [bare, wrapped, handwritten] = [
    await apartFor("bare"),
    await apartFor("wrapped"),
    await apartFor("handwritten"),
  ];
  const { HandwrittenTasks } = await apart<HandwrittenModule>("./handwritten-tasks.js", String(depth));
  const tasks = () => new HandwrittenTasks("handwritten", traces === "always");
  return [
    { name: "bare", make: () => bare.drive(depth, (gate) => bare.lines.plain(gate, BARE)) },
    {
      name: "wrapped",
      make: () => wrapped.drive(depth, (gate) => wrapped.lines.plain(gate, wrapping(traces))),
    },
    {
      name: "handwritten",
      make: () => handwritten.drive(depth, (gate) => handwritten.lines.handwritten(gate, tasks())),
    },
  ];
}

/** What wrapping costs; what it adds, by itself and against what is added by hand. Goals are for what every task pays, spans or not. */
function rowsOf(name: string, samples: Samples, traces: Traces): Row[] {
  const added = (contestant: string) => differences(samples.get(contestant)!, samples.get("bare")!);
  const { addedNs, againstHandwritten } = GOALS.wrapping;
  const hasGoal = traces === "never";
  const ours = added("wrapped");
  return [
    ...duels(name, samples, "bare", [AGAIN]),
    ...duels(name, samples, "wrapped", ["bare"]),
    compare({
      case: `${name}, added`,
      ours,
      peer: addedNs,
      peerName: LIMIT,
      goal: hasGoal ? 1 : undefined,
    }),
    compare({
      case: `${name}, added`,
      ours,
      peer: added("handwritten"),
      peerName: "handwritten",
      goal: hasGoal ? againstHandwritten : undefined,
    }),
  ];
}

function scenario(subject: Subject, traces: Traces, load: keyof typeof DEPTHS): Scenario {
  const name = `${subject.name}, ${traces === "never" ? "no spans" : "spans"}, ${load}`;
  return {
    name,
    // A quick run looks at spans and at a steady load once: they cost alike whatever they are around.
    isSlow: (traces === "always" || load === "steady") && subject !== SUBJECTS[0],
    async run(pace) {
      registerMetrics();
      if (traces === "never") registerContext();
      else registerTracing();
      const contestants = await contestantsOf(subject, DEPTHS[load], traces);
      const samples = await measure({ items: TASKS, contestants, twice: "bare" }, pace);
      return { rows: rowsOf(name, samples, traces) };
    },
  };
}

/** What it costs, per task, to wrap the queues that people have. */
export const wrapped: readonly Scenario[] = SUBJECTS.flatMap((subject) =>
  (["never", "always"] as const).flatMap((traces) =>
    (["fill then drain", "steady"] as const).map((load) => scenario(subject, traces, load)),
  ),
);
