import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { compare, differences } from "../harness.js";
import type { Row, Scenario } from "../scenario.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Each in a process of its own. */
const ROUNDS = { quick: 5, full: 25 };
/** Longest import, in those of p-queue. */
const TIMES_P_QUEUE = 3;

const OURS = "queuescope";
const SDK = "queuescope/sdk";
const REQUIRED = "require queuescope";
const PEER = "p-queue";
const API = "@opentelemetry/api";

interface Loaded {
  readonly ns: number;
  readonly bytes: number;
}

/** What a fresh process takes to load a package, and what it has on the heap then. */
function load(name: string): Loaded {
  const isRequired = name.startsWith("require ");
  const program = `
    gc(); const heap = process.memoryUsage().heapUsed, start = performance.now();
    ${isRequired ? `require("${name.slice("require ".length)}")` : `await import("${name}")`};
    const ns = (performance.now() - start) * 1e6; gc();
    console.log(JSON.stringify({ ns, bytes: process.memoryUsage().heapUsed - heap }));`;
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
          unit: unit === "ns" ? "ns" : "bytes",
        });
      // Who has OpenTelemetry has its API loaded anyway.
      const beyond = (unit: keyof Loaded) =>
        row(`${OURS}, beyond ${API}`, unit, differences(of(OURS, unit), of(API, unit)));
      const goal = 1 / TIMES_P_QUEUE;
      return {
        rows: [
          row(OURS, "ns", undefined, goal),
          row(REQUIRED, "ns", undefined, goal),
          beyond("ns"),
          row(SDK, "ns"),
          row(OURS, "bytes"),
          beyond("bytes"),
          row(SDK, "bytes"),
        ],
      };
    },
  },
];
