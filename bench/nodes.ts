/**
 * The benchmarks by one Node after the other, in one table.
 *
 *     node --import tsx bench/nodes.ts [--quick] [--json] [--only GROUP] [--row TEXT] NODE...
 *
 * NODE is the path of a `node`, or of the folder that has one. Without any the environment variable BENCH_NODES has them, as PATH has
 * folders, and without that it is the Node that runs this.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { tableOfNodes } from "./report.js";
import type { MachineRow } from "./scenario.js";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    row: { type: "string" },
  },
});
const named = positionals.length > 0 ? positionals : (process.env.BENCH_NODES?.split(delimiter) ?? []);
const nodes = named.length > 0 ? named.map(binaryOf) : [process.execPath];

const rows: MachineRow[] = [];
for (const node of nodes) rows.push(...(await rowsOf(node)));
console.log(values.json ? JSON.stringify(rows, null, 2) : tableOfNodes(rows));

function binaryOf(path: string): string {
  return statSync(path).isDirectory() ? join(path, "node") : path;
}

/** What one Node measures; its tables pass by on stderr. */
async function rowsOf(node: string): Promise<MachineRow[]> {
  const options = [
    "--json",
    ...(values.quick ? ["--quick"] : []),
    ...values.only.flatMap((group) => ["--only", group]),
    ...(values.row === undefined ? [] : ["--row", values.row]),
  ];
  const child = spawn(node, ["--expose-gc", "--import", "tsx", MAIN, ...options], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${node} ended with exit code ${code}`);
  return JSON.parse(out) as MachineRow[];
}
