import { type ChildProcess, execFile, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { AwaitNode, AwaitTask } from "../../src/await-tree/forest.js";
import { connectTo } from "../../src/cli/attach/websocket.js";

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
        "(top level) top",
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
    const waits = (seen.tasks as AwaitTask[]).flatMap(({ root }) => root.waitsFor?.text ?? []);
    expect(waits.sort()).toEqual(["a Socket", "a timer of 3600 s", "a timer of 7200 s"]);
    const withIds = (seen.tasks as AwaitTask[]).filter(({ correlationIds }) => correlationIds.length > 0);
    expect(withIds.map(({ correlationIds }) => correlationIds.toSorted())).toEqual([
      Array.from({ length: 12 }, (_, i) => `order-${i}`).toSorted(),
      ["shop"],
    ]);
  });

  it("finds those that go on all the time, too, and lets them", async () => {
    const { pid, child } = await target("going-on.mjs");
    const { code, out } = await tree(pid, "--json");
    const seen = JSON.parse(out);
    expect({ code, leftOut: seen.leftOut }).toEqual({ code: 0, leftOut: 0 });
    expect(chains("going-on.mjs", seen.tasks)).toEqual(["3x step step < poll poll"]);
    const turns = async () => {
      child.send("how many?");
      return Number((await once(child, "message"))[0]);
    };
    const before = await turns();
    await vi.waitFor(async () => expect(await turns()).toBeGreaterThan(before), { timeout: 60_000 });
  });

  it("closes the inspector, lets the process go on, and can do so again", async () => {
    const { pid, child, stderr } = await target("common.cjs");
    for (let i = 0; i < 2; i++) {
      const { code, out } = await tree(pid);
      expect({ code, out }).toEqual({
        code: 0,
        out: `1x   plain common.cjs:${lineOf("common.cjs", "plain")}:3\n`,
      });
    }
    expect(stderr().match(/Debugger listening on/g)).toHaveLength(2);
    for (const port of stderr().matchAll(/:(\d+)\/[\da-f-]{36}/g)) await refused(Number(port[1]));
    expect(child.exitCode ?? child.signalCode).toBeNull();
  });

  it("leaves an inspector open that was, and says that a debugger is attached", async () => {
    const { pid, stderr } = await target("common.cjs", ["--inspect=127.0.0.1:0"]);
    const first = await tree(pid);
    expect(first).toMatchObject({ code: 0, err: expect.stringContaining("was open: it stays so") });
    const url = /ws:\S+/.exec(stderr())![0];
    const heard: string[] = [];
    const debuggers = await connectTo(new URL(url), {
      message: (text) => heard.push(text),
      closed: () => {},
    });
    debuggers.send('{"id":1,"method":"Debugger.enable"}');
    const second = await tree(pid);
    expect(second).toMatchObject({
      code: 0,
      out: first.out,
      err: expect.stringContaining("a debugger is attached"),
    });
    debuggers.send('{"id":2,"method":"Runtime.evaluate","params":{"expression":"process.pid"}}');
    await vi.waitUntil(() => heard.some((text) => text.includes('"id":2')), { timeout: 60_000 });
    expect(heard.filter((text) => text.includes("Debugger.paused"))).toEqual([]);
    debuggers.close();
  });

  it("says at which line the event loop is blocked", async () => {
    const { pid, child } = await target("common.cjs");
    child.send("code");
    await once(child, "message");
    const { code, out } = await tree(pid);
    expect(code).toBe(7);
    expect(out).toMatch(/^the event loop of process \d+ is blocked, in spin common\.cjs:(\d+):\d+ < /);
    expect(Number(/common\.cjs:(\d+)/.exec(out)![1])).toBe(lineOf("common.cjs", "spin"));
    const { blocked } = JSON.parse((await tree(pid, "--json")).out);
    expect(blocked).toMatchObject({ by: "code", stack: [{ function: "spin" }, {}] });
  });

  it("names the source of what a tool has translated", async () => {
    const { pid } = await target("mapped.ts", ["--inspect-port=0", "--import", import.meta.resolve("tsx")]);
    const { code, out } = await tree(pid, "--json");
    expect(code).toBe(0);
    expect(chains("mapped.ts", JSON.parse(out).tasks)).toEqual(["Till.charge charge < main main"]);
  });
});

describe("queuescope tree on what it can't look into", () => {
  it("refuses a large heap, and says what it would take", async () => {
    const { pid } = await target("waiting.mjs", undefined, { BALLAST: "120" });
    const { code, out, err } = await tree(pid);
    expect({ code, out }).toEqual({ code: 6, out: "" });
    expect(err).toMatch(/has \d+ MB of heap: it would stand still for about [\d.]+ s.* --force does it/);
  });

  it("says that the event loop is blocked in native code", async () => {
    const { pid, child } = await target("common.cjs");
    child.send("native");
    await once(child, "message");
    const { code, err } = await tree(pid);
    expect(code).toBe(7);
    expect(err).toContain("native code");
  });

  it("sends no signal to what it would end", async () => {
    const child = spawn("sleep", ["1000"]);
    children.add(child);
    const { code, err } = await tree(child.pid!);
    expect(code).toBe(5);
    expect(err).toContain("(sleep) is no Node process");
    const denied = process.allowedNodeEnvironmentFlags.has("--disable-sigusr1")
      ? ["--disable-sigusr1"]
      : ["--experimental-permission", "--allow-fs-read=*"];
    const quiet = await target("common.cjs", denied);
    const { code: other, err: reason } = await tree(quiet.pid);
    expect(other).toBe(4);
    expect(reason).toContain("--disable-sigusr1");
    expect([child, quiet.child].map(({ exitCode, signalCode }) => exitCode ?? signalCode)).toEqual([
      null,
      null,
    ]);
  });

  it("says who has the port", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const { port } = holder.address() as AddressInfo;
    const { pid, stderr } = await target("common.cjs", [`--inspect-port=${port}`]);
    const { code, err } = await tree(pid);
    holder.close();
    expect(code).toBe(5);
    expect(err).toContain(`at port ${port}, which process ${process.pid} has`);
    expect(stderr()).toBe("");
  });

  it("tells a stopped process from one that has ended", async () => {
    const { pid, child } = await target("common.cjs");
    child.kill("SIGSTOP");
    await vi.waitUntil(() => stateOf(pid) === "T", { timeout: 60_000 });
    expect(await tree(pid)).toMatchObject({ code: 5, err: expect.stringContaining(`kill -CONT ${pid}`) });
    // Its new parent never asks for its end.
    const parent = spawn("sh", ["-c", "node -e 0 & echo $!; exec sleep 1000"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    children.add(parent);
    const [zombie] = await once(parent.stdout!, "data").then(([data]) => [Number(String(data))]);
    await vi.waitUntil(() => stateOf(zombie!) === "Z", { timeout: 60_000 });
    expect(await tree(zombie!)).toMatchObject({ code: 3, err: expect.stringContaining("zombie") });
  });
});

/** One letter, as `ps` has it. */
function stateOf(pid: number): string {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  return text[text.lastIndexOf(")") + 2]!;
}

function lineOf(file: string, name: string): number {
  const lines = readFileSync(join(folder, file), "utf8").split("\n");
  return lines.findIndex((line) => line.endsWith(`at:${name}`)) + 1;
}

/** Rejects where something listens there. */
async function refused(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  const [error] = await once(socket, "error");
  expect(error.code).toBe("ECONNREFUSED");
}
