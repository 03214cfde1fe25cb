import { join } from "node:path";
import { print } from "../../base/output.js";
import { packageRoot } from "../../base/package-root.js";
import type { TaskFacts } from "../../contracts/index.js";
import { MAX_BRANCHES, MAX_DEPTH } from "../../waits/frames.js";
import type { AwaitBranch, AwaitFrame } from "../../waits/wait.js";

/** How long the command may take, in milliseconds. */
const PATIENCE_MS = 180_000;
/** What it may print, in bytes. */
const MAX_BYTES = 64 * 2 ** 20;

/** What is read of the JSON of `queuescope tree`. */
interface Tree {
  readonly tasks: readonly { readonly correlationIds: readonly string[]; readonly root: TreeNode }[];
}

interface TreeNode {
  readonly function: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly count: number;
  readonly awaits: readonly TreeNode[];
}

/** Where the tasks of this process stand. */
export type DeepLook = (task: TaskFacts) => readonly AwaitBranch[] | undefined;

/**
 * Has `queuescope tree` look at this process, which stands still meanwhile; for how long is told on stderr before. It is another process, so that what
 * that takes is not this one's memory. Rejects with what the command says, as where the heap is larger than 64 MB and it isn't forced.
 */
export async function lookDeep(force: boolean): Promise<DeepLook> {
  const root = packageRoot();
  if (root === undefined) {
    throw new Error(
      "the command that looks at the process is a file of this package, and a bundle doesn't have it: mark queuescope as external in the bundler",
    );
  }
  const args = [join(root, "dist", "cli.js"), "tree", String(process.pid), "--json"];
  return branchesIn(JSON.parse(await outputOf(force ? [...args, "--force"] : args)) as Tree);
}

async function outputOf(args: readonly string[]): Promise<string> {
  const { spawn } = await import("node:child_process");
  // Without the options and preloads of this process: they would start the program, or its instrumentation, a second time.
  const env = { ...process.env, NODE_OPTIONS: "", NODE_V8_COVERAGE: "", QUEUESCOPE_INSPECT: "" };
  const child = spawn(process.execPath, args, {
    env,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: PATIENCE_MS,
    windowsHide: true,
  });
  let out = "";
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
    if (out.length > MAX_BYTES) child.kill();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-2_000);
    for (const line of text.trim().split("\n")) print(`queuescope: ${line}`);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code === 0) return out;
  const [why = ""] = /queuescope: .*/.exec(said) ?? [];
  throw new Error(
    why === "" ? `queuescope tree ended with ${code ?? "a signal"}` : why.slice("queuescope: ".length),
  );
}

function branchesIn({ tasks }: Tree): DeepLook {
  const byId = new Map<string, AwaitBranch[]>();
  for (const { correlationIds, root } of tasks) {
    const branches = branchesOf(root);
    for (const id of correlationIds) {
      byId.set(id, [...(byId.get(id) ?? []), ...branches].slice(0, MAX_BRANCHES));
    }
  }
  return ({ correlationId }) => byId.get(correlationId);
}

/** Each way from the root down, innermost first. */
function branchesOf(
  node: TreeNode,
  above: readonly AwaitFrame[] = [],
  times = 1,
): { count: number; frames: readonly AwaitFrame[] }[] {
  const { function: name, file, line, column, awaits } = node;
  const functionName = name === "(anonymous)" ? undefined : name;
  const frames = [{ functionName, file, line, column }, ...above];
  if (awaits.length === 0 || frames.length >= MAX_DEPTH) return [{ count: times, frames }];
  return awaits.flatMap((each) => branchesOf(each, frames, times * each.count)).slice(0, MAX_BRANCHES);
}
