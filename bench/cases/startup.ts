import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { GOALS } from "../goals.js";
import { compare, differences } from "../harness.js";
import { LIMIT } from "../report.js";
import type { Row, Scenario } from "../scenario.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Each in a process of its own. */
const ROUNDS = { quick: 5, full: 25 };

const OURS = "queuescope";
const SDK = "queuescope/sdk";
const REQUIRED = "require queuescope";
const PEER = "p-queue";
const API = "@opentelemetry/api";

interface Loaded {
  /** CPU time of the process, whatever else the machine does. */
  readonly ms: number;
  readonly bytes: number;
}

/** What a fresh process takes to load a package, and what it has on the heap then. */
function load(name: string): Loaded {
  const isRequired = name.startsWith("require ");
  const program = `
    gc(); const heap = process.memoryUsage().heapUsed, start = process.cpuUsage();
    ${isRequired ? `require("${name.slice("require ".length)}")` : `await import("${name}")`};
    const { user, system } = process.cpuUsage(start), ms = (user + system) / 1e3; gc();
    console.log(JSON.stringify({ ms, bytes: process.memoryUsage().heapUsed - heap }));`;
  const type = `--input-type=${isRequired ? "commonjs" : "module"}`;
  const out = execFileSync(process.execPath, ["--expose-gc", type, "--eval", program], { cwd: ROOT });
  return JSON.parse(String(out)) as Loaded;
}

/** By turns, so that what else the machine does falls on all alike. */
function samples(names: readonly string[], rounds: number): Map<string, Loaded[]> {
  const found = new Map(names.map((name): [string, Loaded[]] => [name, []]));
  for (let round = 0; round < rounds; round++) for (const name of names) found.get(name)!.push(load(name));
  return found;
}

/** What a program pays that only imports the package. */
export const startup: readonly Scenario[] = [
  {
    name: "startup",
    run({ quick }) {
      const found = samples([OURS, SDK, REQUIRED, PEER, API], quick ? ROUNDS.quick : ROUNDS.full);
      const of = (name: string, unit: keyof Loaded) => found.get(name)!.map((each) => each[unit]);
      const row = (name: string, unit: keyof Loaded, ours = of(name, unit), goal?: number): Row =>
        compare({
          case: name.startsWith("require ") ? name : `import ${name}`,
          ours,
          peer: of(PEER, unit),
          peerName: PEER,
          goal,
          unit,
        });
      // Who has OpenTelemetry has its API loaded anyway.
      const beyond = (unit: keyof Loaded) =>
        row(`${OURS}, beyond ${API}`, unit, differences(of(OURS, unit), of(API, unit)));
      const goal = 1 / GOALS.importing.timesPQueue;
      return {
        rows: [
          compare({
            case: `import ${OURS}`,
            ours: of(OURS, "ms"),
            peer: GOALS.importing.cpuMs,
            peerName: LIMIT,
            goal: 1,
            unit: "ms",
          }),
          row(OURS, "ms", undefined, goal),
          row(REQUIRED, "ms", undefined, goal),
          beyond("ms"),
          row(SDK, "ms"),
          row(OURS, "bytes"),
          beyond("bytes"),
          row(SDK, "bytes"),
        ],
      };
    },
  },
];
