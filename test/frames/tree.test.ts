import { setImmediate as turn } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { branchesOf } from "../../src/waits/frames.js";
import { taskLinkOf } from "../../src/waits/task-notes.js";
import { FakeTask, loaded, stopMonitoring } from "./run.js";

afterEach(stopMonitoring);

interface App {
  main(...args: unknown[]): Promise<unknown>;
}

/** Never settles, and can be told from what is awaited otherwise. */
const never = () => new Promise<never>(() => {});

/** What the tree is when all that can go on has gone on. */
async function treeOf(code: string, names: Record<string, unknown> = {}): Promise<string[]> {
  const { main } = loaded<App>(code, { never, ...names });
  const task = new FakeTask();
  task.run(() => main()).catch(() => {});
  for (let i = 0; i < 5; i++) await turn();
  return task.branches;
}

describe("the tree of a task", () => {
  it("has the await of each function, innermost first", async () => {
    const tree = await treeOf(`
async function charge() { await null;
  await never(); }
async function handle() {
  await charge();
}
exports.main = async () => {
  await handle();
};`);
    expect(tree).toEqual(["charge app.js:3 < handle app.js:5 < main app.js:8"]);
  });

  it("has parallel branches as siblings, and one line for those that stand at the same places", async () => {
    const tree = await treeOf(`
async function lock() { await never(); }
async function charge() { await null; await never(); }
exports.main = async () => {
  await Promise.all([lock(), charge(), charge(),
    charge()]);
};`);
    expect(tree).toEqual(["lock app.js:2 < main app.js:5", "charge app.js:3 < main app.js:5 (3x)"]);
  });

  it("has a branch no longer that has ended", async () => {
    const tree = await treeOf(`
async function quick() { await null; }
async function slow() { await never(); }
exports.main = async () => {
  await Promise.all([quick(), slow()]);
};`);
    expect(tree).toEqual(["slow app.js:3 < main app.js:5"]);
  });

  it("has functions that return a promise, whatever that is of", async () => {
    const tree = await treeOf(`
async function query() { return never(); }
const save = async () => query();
const handle = async (x) =>
  save(x);
exports.main = async () => {
  await handle();
};`);
    expect(tree).toEqual(["query app.js:2 < save app.js:3 < handle app.js:5 < main app.js:7"]);
  });

  it("tells which of several returned promises are pending", async () => {
    const code = (last: string) => `
async function fast() { return Promise.resolve(1); }
async function slow() { return never(); }
async function late() { await null; return Promise.resolve(2); }
exports.main = async () => {
  await Promise.all([${last}]);
};`;
    expect(await treeOf(code("fast(), late(), slow()"))).toEqual(["slow app.js:3 < main app.js:6"]);
    expect(await treeOf(code("slow(), fast(), slow()"))).toEqual(["slow app.js:3 < main app.js:6 (2x)"]);
    expect(await treeOf(code("fast(), late(), never()"))).toEqual(["main app.js:6"]);
  });

  it("forgets returned promises when what awaited them goes on", async () => {
    const tree = await treeOf(`
async function query() { return never(); }
exports.main = async () => {
  await Promise.race([query(), query(), null]);
  await never();
};`);
    expect(tree).toEqual(["main app.js:5"]);
  });

  it("has loops, generators and what they wait for", async () => {
    const tree = await treeOf(`
async function* rows() {
  yield 1;
  yield await 2;
  await never();
}
async function* doubled() {
  yield* rows();
}
exports.main = async () => {
  for await (const row of doubled()) { await row; }
};`);
    expect(tree).toEqual(["rows app.js:5 < doubled app.js:8 < main app.js:11"]);
  });

  it("has a for await that waits for something else", async () => {
    const source = { [Symbol.asyncIterator]: () => ({ next: never }) };
    const tree = await treeOf(
      "exports.main = async () => {\n  for await (const row of source)\n    await row;\n};",
      { source },
    );
    expect(tree).toEqual(["main app.js:2"]);
  });

  it("goes on after catch, finally and labelled continues", async () => {
    const tree = await treeOf(`
async function fail() { await null; throw new Error("no"); }
async function stuck() {
  await never();
}
exports.main = async () => {
  outer: for (const i of [1, 2]) {
    for await (const j of [3, 4]) { if (i === 1) continue outer; }
    try { await fail(); } catch { await null; } finally { await null; }
    try { try { await fail(); } finally { stuck(); } } catch {}
    await never();
  }
};`);
    expect(tree).toEqual(["stuck app.js:4 < main app.js:11"]);
  });

  it("has what a function that has ended left running as a root", async () => {
    const tree = await treeOf(`
async function background() { await never(); }
async function handle() { await null; void background(); }
exports.main = async () => { await handle();
  await never(); };`);
    expect(tree.sort()).toEqual(["background app.js:2", "main app.js:5"]);
  });

  it("names functions by what they are given to", async () => {
    const tree = await treeOf(`
class Orders {
  #charge = async () => { await never(); };
  static async all(orders) { await orders.handle(); }
  async handle() { await this.#charge(); }
}
const api = { async post() { await Orders.all(new Orders()); }, get: async () => { await api.post(); } };
exports.main = async function () { await (async () => { await api.get(); })(); };`);
    expect(tree).toEqual([
      "Orders.#charge app.js:3 < Orders.handle app.js:5 < Orders.all app.js:4 < post app.js:7 < get app.js:7 < anonymous app.js:8 < main app.js:8",
    ]);
  });
});

describe("tasks", () => {
  const code = `
async function inner() { await null; await never(); }
exports.main = async (then) => {
  if (then) then();
  await inner();
};`;

  it("have only their own functions, though one's code starts the other", async () => {
    const { main } = loaded<App>(code, { never });
    const [first, second] = [new FakeTask(), new FakeTask()];
    first.run(() => main(() => void second.run(() => main())));
    await turn();
    const tree = ["inner app.js:2 < main app.js:5"];
    expect([first.branches, second.branches]).toEqual([tree, tree]);
  });

  it("know nothing where none is monitored, nor outside of any", async () => {
    const { main } = loaded<App>(code, { never });
    const task = new FakeTask();
    task.run(() => stopMonitoring());
    void main();
    await turn();
    expect(task.branches).toEqual([]);
  });

  it("list a thousand functions at most, and keep the oldest", async () => {
    const { main } = loaded<App>(
      "async function leaves() { await never(); }\nexports.main = async () => { for (let i = 0; i < 5000; i++) { leaves(); await null; }\n  await never(); };",
      { never },
    );
    const task = new FakeTask();
    void task.run(() => main());
    await turn();
    await turn();
    const [branch] = branchesOf(task.facts);
    expect(branch?.count).toBeLessThanOrEqual(1_000);
    expect(task.branches[0]).toMatch(/^leaves app\.js:1 < main app\.js:3 \(\d+x\)$/);
  });

  it("hold nothing of functions that have ended, however many have started each other", async () => {
    const { main } = loaded<App>(
      "let left = 3000;\nconst step = async () => { await null; if (left-- > 0) void step(); };\nconst tail = async (n) => { await null; return n === 0 ? 0 : tail(n - 1); };\nexports.main = async (n) => { await step(); await tail(n); while (left > 0) await null; };",
    );
    const task = new FakeTask();
    await task.run(() => main(20_000));
    await turn();
    expect(taskLinkOf(task.facts)?.notes.frames?.oldest).toBeUndefined();
  });
});
