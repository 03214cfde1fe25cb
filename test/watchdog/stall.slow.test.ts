import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import type { BlockedHead, Stall } from "../../src/stall-monitor/stall.js";
import { StallMonitor } from "../../src/stall-monitor/stall-monitor.js";
import { Child } from "./stall/child.js";

const FOLDER = mkdtempSync(join(tmpdir(), "queuescope-stall-"));
afterAll(() => rmSync(FOLDER, { recursive: true }));

const PROGRAM = "test/watchdog/stall/program.ts";
let files = 0;
const newFile = () => join(FOLDER, String(++files));

function run(mode: string, ...more: string[]): Child {
  return Child.run(["--import", "tsx", PROGRAM, mode, ...more]);
}

/** Lets the program block until a line has been read that its thread wrote meanwhile. */
async function blocked(mode: string, line: RegExp, ...more: string[]): Promise<Child> {
  const file = newFile();
  const child = run(mode, file, ...more);
  await child.line(line);
  writeFileSync(file, "");
  expect(await child.over).toBe(0);
  return child;
}

function stallOf(child: Child): Stall {
  expect(child.said("error")).toEqual([]);
  // A crowded machine may hold up the program elsewhere, too, while it starts.
  const stalls = (child.said("stall") as Stall[]).filter(({ where }) => where?.file?.includes("/stall/"));
  expect(stalls).toHaveLength(1);
  return stalls[0]!;
}

const here = (functionName: string) => ({ functionName, file: expect.stringMatching(/stall\/program\.ts$/) });

describe("a blocked event loop", () => {
  it("is reported while it is blocked, with function, file and task", async () => {
    const child = await blocked("busy", /event loop is blocked.* in busy \(.*program\.ts:\d+:\d+\).*order-7/);
    const stall = stallOf(child);
    expect(stall.where).toMatchObject(here("busy"));
    expect(stall.task).toMatchObject({ correlationId: "order-7" });
    expect(stall.durationMs).toBeGreaterThan(200);
    expect(Math.abs(Date.now() - stall.startedAt)).toBeLessThan(60_000);
    expect(stall.stack.some(({ isInternal }) => isInternal)).toBe(true);
    expect(child.err.filter((line) => /event loop was blocked/.test(line))).toHaveLength(1);
  });

  it("names the line in the source where there is a source map", async () => {
    const stall = stallOf(await blocked("busy", /event loop is blocked.* in busy/));
    const source = readFileSync(stall.where!.file!, "utf8").split("\n");
    expect(source[stall.where!.line! - 1]).toContain("while (!existsSync(file));");
  });

  it("names a catastrophic regular expression, which is no native code that can't be interrupted", async () => {
    const child = run("regex");
    expect(await child.over).toBe(0);
    expect(stallOf(child)).toMatchObject({ where: here("catastrophe"), task: { correlationId: "order-7" } });
  });

  it("names who called JSON.parse", async () => {
    const child = run("json");
    expect(await child.over).toBe(0);
    expect(stallOf(child)).toMatchObject({ where: here("parseBigText"), isNative: true });
  });

  it("is named again after the inspector was open, which is told of", async () => {
    const child = run("inspected");
    expect(await child.over).toBe(0);
    expect(child.said("error")).toEqual([]);
    expect(child.said("limited")).toEqual([expect.stringMatching(/^the inspector is open/)]);
    expect((child.said("stall") as Stall[]).at(-1)).toMatchObject({ where: here("parseBigText") });
  });

  it("names who called pbkdf2Sync", async () => {
    const child = run("pbkdf2");
    expect(await child.over).toBe(0);
    const stall = stallOf(child);
    expect(stall).toMatchObject({
      where: here("derive"),
      isNative: true,
      task: { correlationId: "order-7" },
    });
    expect(stall.stack.map(({ functionName }) => functionName)).toContain("pbkdf2Sync");
  });

  it("tells a pool's task by its correlation ID, its step and its attempt", async () => {
    const stall = stallOf(await blocked("pool", /is blocked.*order-8.*charge card/));
    expect(stall.where).toMatchObject(here("busy"));
    expect(stall.task).toMatchObject({
      correlationId: "order-8",
      step: "charge card",
      attempt: 1,
      tier: "default",
    });
  });

  it("is in the report of the breach that it leads to, by the name of who called JSON.parse", async () => {
    const child = Child.run(["--import", "tsx", "test/watchdog/stall/breach.ts"]);
    expect(await child.over).toBe(0);
    expect(child.out.join("\n")).toMatch(
      /^WHY {2}event-loop-blocked \(0\.97\): .*, mostly in parseBigText \(.*breach\.ts:\d+\) \(native call\)$/m,
    );
  });

  it("is in a report that is due before the thread has told of it, too", async () => {
    const child = Child.run(["--import", "tsx", "test/watchdog/stall/timely-look.ts"]);
    expect(await child.over).toBe(0);
    expect(child.out.join("\n")).toMatch(/^WHY {2}event-loop-blocked \(0\.97\): .*, mostly in spin \(/m);
  });

  it("leads to a breach of the queue that was late, and to the end of that breach, each time", async () => {
    const folder = mkdtempSync(join(FOLDER, "reports-"));
    const child = Child.run(["--import", "tsx", "test/watchdog/stall/two-blocks.ts", folder]);
    expect(await child.over).toBe(0);
    const breach = { what: "breach", targetMs: 300, verdict: "event-loop-blocked" };
    const cleared = { what: "cleared", lasted: true };
    expect(child.said("told")).toEqual([breach, cleared, breach, cleared]);
    const lines = readFileSync(join(folder, "stalls.jsonl"), "utf8").trim().split("\n");
    const late = lines.map((line) => JSON.parse(line)).filter(({ kind }) => kind === "breach");
    expect(late[0]).toMatchObject({ queue: "twins", tier: "default", slaMs: 300 });
    expect(late[0]).not.toHaveProperty("head");
  });

  it("is one, whatever happens in it", async () => {
    const child = run("nested");
    expect(await child.over).toBe(0);
    expect(stallOf(child).durationMs).toBeGreaterThan(1_000);
  });

  it("is written to a file while it is blocked and when it is over", async () => {
    const folder = mkdtempSync(join(FOLDER, "reports-"));
    await blocked("busy", /event loop is blocked.* in busy/, folder);
    const lines = readFileSync(join(folder, "stalls.jsonl"), "utf8").trim().split("\n");
    const [during, after] = lines.slice(-2).map((line) => JSON.parse(line));
    expect(during).toMatchObject({ kind: "stall", isOver: false, where: here("busy") });
    expect(after).toMatchObject({ kind: "stall", isOver: true, where: here("busy") });
  });

  it("is reported though the file can't be written, which is told", async () => {
    const child = await blocked("busy", /event loop is blocked/, join(FOLDER, "nowhere"));
    expect(child.said("stall")).toHaveLength(1);
    expect(child.said("error")[0]).toMatch(/ENOENT/);
  });

  it("is reported even if the process ends with it", async () => {
    const child = await blocked("last-words", /event loop is blocked.* in busy/);
    expect(child.err.join("\n")).toMatch(/event loop was blocked for .* in busy/);
    expect(child.err.join("\n")).not.toMatch(/debugger/);
  });

  it("hides no breach: the heads that are beyond their SLA are told, each once", async () => {
    const child = await blocked("breach", /queue=orders tier=late head waited/);
    const breaches = child.said("breach") as BlockedHead[];
    expect(breaches).toMatchObject([{ queue: "orders", tier: "late", slaMs: 900 }]);
    expect(breaches[0]!.ageMs).toBeGreaterThan(1_000);
    expect(breaches[0]!.seenAgoMs).toBeGreaterThan(0);
  });
});

describe("what is told of a stall", () => {
  const secret = (folder: string, ...more: string[]) => {
    const file = newFile();
    const args = ["--import", "tsx", "test/watchdog/stall/private.ts", file, folder, ...more];
    return { file, child: Child.run(args) };
  };

  it("has gone through the redactor: the lines, the file, which only the owner may read, and the event", async () => {
    const folder = mkdtempSync(join(FOLDER, "reports-"));
    const { file, child } = secret(folder);
    const line = await child.line(/is blocked.* in busy .*correlationId="of …".*step="mail to …"/);
    expect(line).not.toMatch(/src\/(worker|telemetry)\/|node_modules/);
    writeFileSync(file, "");
    expect(await child.over).toBe(0);
    expect(child.said("error")).toEqual([]);
    expect(child.said("stall")).toMatchObject([
      { task: { correlationId: "of …", step: "mail to …", queue: "orders" } },
    ]);
    const path = join(folder, "stalls.jsonl");
    expect([...child.out, ...child.err, readFileSync(path, "utf8")].join("\n")).not.toContain("ann");
    expect(statSync(path).mode & 0o077).toBe(0);
  });

  it("is no line on stderr where that is switched off", async () => {
    const folder = mkdtempSync(join(FOLDER, "reports-"));
    const { file, child } = secret(folder, "silently");
    writeFileSync(file, "");
    expect(await child.over).toBe(0);
    expect(child.said("stall")).toHaveLength(1);
    expect(child.err).toEqual([]);
  });
});

describe("no stall is reported", () => {
  it.each(["idle", "garbage", "short-tasks"])("of a program that is %s", async (mode) => {
    const child = run(mode);
    expect(await child.over).toBe(0);
    expect(child.said("done")).toHaveLength(1);
    expect(child.said("stall")).toEqual([]);
    expect(child.err).toEqual([]);
  });

  it("of a process that was suspended", async () => {
    const child = run("suspended");
    await child.line(/^ready/);
    child.process.kill("SIGSTOP");
    // Longer than the threshold: there is no signal for time that passes.
    await wait(1_000);
    child.process.kill("SIGCONT");
    child.process.stdin!.write("go on\n");
    expect(await child.over).toBe(0);
    expect(child.said("stall")).toEqual([]);
    expect(child.err).toEqual([]);
  });
});

describe("a watcher", () => {
  it("lets the process end, and says nothing of debuggers", async () => {
    const child = run("idle");
    expect(await child.over).toBe(0);
    expect(child.err).toEqual([]);
  });

  it("lets an event loop that sleeps look as if it did", async () => {
    const child = run("asleep");
    expect(await child.over).toBe(0);
    // With a sample every 100 ms and no heartbeat in between it was 0.7.
    expect(child.said("busy")[0]).toBeLessThan(0.3);
  });

  it("leaves a process alone that exits right after a stall", async () => {
    for (let round = 0; round < 8; round++) expect(await run("last-breath").over).toBe(0);
  });

  it("leaves nothing behind when it is stopped, however often it was started", async () => {
    const child = run("again");
    expect(await child.over).toBe(0);
    const [before, after] = (child.said("left") as [unknown, unknown][])[0]!;
    expect(after).toEqual(before);
  });

  it("survives what listeners throw", async () => {
    const child = await blocked("faults", /event loop is blocked/);
    expect(child.said("error")).toEqual(["Error: a listener's"]);
  });

  it("can be stopped before it was started", async () => {
    await new StallMonitor({ thresholdMs: 500 }, { stall() {}, breach() {}, error() {} }).stop();
  });
});

describe("as it is published", () => {
  const [major = 0] = process.versions.node.split(".").map(Number);
  const permission = major < 22 ? "--experimental-permission" : "--permission";
  const own = (child: Child) => child.err.filter((line) => line.startsWith("queuescope:"));

  async function published(flags: readonly string[] = [], ...args: string[]): Promise<Child> {
    const child = Child.run([...flags, "test/watchdog/stall/published.mjs", ...args]);
    expect(await child.over).toBe(0);
    expect(child.said("error")).toEqual([]);
    return child;
  }

  it("names function and file", async () => {
    const child = await published();
    expect(child.said("stall")).toMatchObject([{ where: { functionName: "spin" } }]);
  });

  it("says in one line that threads are denied, and does no harm", async () => {
    const child = await published([permission, "--allow-fs-read=*"], "blind");
    expect(own(child)).toEqual([
      "queuescope: threads are not available (ERR_ACCESS_DENIED): event-loop stalls are not watched",
    ]);
  });

  it("says in one line that the inspector is denied, and tells how long stalls took", async () => {
    const child = await published([permission, "--allow-fs-read=*", "--allow-worker"]);
    expect(own(child)).toEqual([
      expect.stringMatching(/the inspector is not available .* reported without stack and task/),
      expect.stringMatching(/is blocked, for [\d.]+ s by now$/),
      expect.stringMatching(/was blocked for [\d.]+ s$/),
    ]);
    expect(child.said("stall")).toMatchObject([{ stack: [], isNative: false }]);
  });
});
