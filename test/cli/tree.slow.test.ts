import { type ChildProcess, execFile, fork } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { AwaitNode, AwaitTask } from "../../src/await-tree/forest.js";

const ROOT = realpathSync(fileURLToPath(new URL("../..", import.meta.url)));
const CLI = join(ROOT, "dist/cli.js");

let folder: string;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "tree-")));
  cpSync(join(ROOT, "test/cli/targets"), folder, { recursive: true });
  const slow = join(folder, "node_modules/slow-package");
  mkdirSync(slow, { recursive: true });
  writeFileSync(join(slow, "package.json"), '{ "type": "module", "exports": "./index.js" }');
  writeFileSync(
    join(slow, "index.js"),
    "export async function packaged(fn) {\n  return await between(fn);\n}\nconst between = async (fn) => await fn();\n",
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  children.clear();
});

/** A process that has said that it is ready. Any port of an inspector does, as several run at a time. */
async function target(file: string, execArgv: readonly string[] = ["--inspect-port=0"], env = {}) {
  const child = fork(join(folder, file), {
    cwd: folder,
    execArgv: [...execArgv],
    env: { ...process.env, NODE_OPTIONS: "", ...env },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  children.add(child);
  let err = "";
  child.stderr!.on("data", (text) => {
    err += text;
  });
  await once(child, "message");
  return { pid: child.pid!, child, stderr: () => err };
}

function tree(...args: (string | number)[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, "tree", ...args.map(String)], { cwd: folder }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

/** Each way from a root down, innermost first, by the names that the file gives to the lines. */
function chains(file: string, tasks: readonly AwaitTask[]): string[] {
  const lines = readFileSync(join(folder, file), "utf8").split("\n");
  const at = ({ function: name, line, file: where }: AwaitNode) =>
    where === join(folder, file)
      ? `${name} ${/at:(\w+)$/.exec(lines[line - 1]!)?.[1] ?? line}`
      : `${name} (${where})`;
  const below = (node: AwaitNode): string[] => {
    const times = node.count > 1 ? `${node.count}x ` : "";
    if (node.awaits.length === 0) return [times + at(node)];
    return node.awaits.flatMap(below).map((chain) => `${chain} < ${times}${at(node)}`);
  };
  return tasks.flatMap(({ count, root }) =>
    below(root).map((chain) => (count > 1 ? `${count}x ${chain}` : chain)),
  );
}

describe("queuescope tree", () => {
  it("finds each place at which a process waits that knows nothing of it", async () => {
    const { pid } = await target("waiting.mjs");
    const { code, out, err } = await tree(pid, "--json");
    expect({ code, err }).toMatchObject({
      code: 0,
      err: expect.stringMatching(/it will stand still for about/),
    });
    const seen = JSON.parse(out);
    expect(seen).toMatchObject({ version: 1, pid });
    expect(chains("waiting.mjs", seen.tasks).sort()).toEqual(
      [
        "(anonymous) top",
        "12x charge charge < outer outer",
        "Shop.pack pack",
        "arrow arrow",
        "charge charge < Shop.ship ship",
        "charge charge < awaitsReturned awaitsReturned",
        "charge charge < branch left < parallel parallel",
        "2x branch right < parallel parallel",
        "charge charge < chained chained",
        "charge charge < throughPackage throughPackage",
        "circle circle",
        "numbers numbers < consume consume",
        "open open",
        "plainTimer plainTimer",
        "socket socket",
        "timer timer",
      ].sort(),
    );
    const withIds = (seen.tasks as AwaitTask[]).filter(({ correlationIds }) => correlationIds.length > 0);
    expect(withIds.map(({ correlationIds }) => correlationIds.toSorted())).toEqual([
      Array.from({ length: 12 }, (_, i) => `order-${i}`).toSorted(),
      ["shop"],
    ]);
  });
});
