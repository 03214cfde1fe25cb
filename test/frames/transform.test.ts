import { setImmediate as turn } from "node:timers/promises";
import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, it } from "vitest";
import { isPackageName, isSelected } from "../../src/frames/selection.js";
import { FakeTask, framed, loaded, stopMonitoring } from "./run.js";

afterEach(stopMonitoring);

interface App {
  main(...args: unknown[]): Promise<unknown>;
}

/** What `main` returns, in a task. */
async function resultOf(code: string, ...args: unknown[]): Promise<unknown> {
  const { main } = loaded<App>(code);
  return new FakeTask().run(() => main(...args));
}

const linesIn = (text: string) => text.split("\n").length;

describe("what a function does", () => {
  it.each<[string, string, unknown]>([
    ["an expression in parentheses", "exports.main = async () => ({ a: await 1 });", { a: 1 }],
    ["an expression that is a list", "exports.main = async () => (await 1, await 2);", 2],
    ["an expression on the next line", "exports.main = async () =>\n  // says\n  await 1\nexports.b = 1", 1],
    ["an arrow in an arrow", "exports.main = async (x = 2) => (await (async y => await y * x)(3));", 6],
    [
      "directives, which stay first",
      `exports.main = async function () { "use strict"; "other"; await null; return this === undefined; }.bind(undefined);`,
      true,
    ],
    [
      "sloppy mode",
      "exports.main = async function () { await null; undeclared = 1; const u = undeclared; delete globalThis.undeclared; return u; };",
      1,
    ],
    [
      "arguments",
      "exports.main = async function (a) { await null; a = 7; return [arguments.length, arguments[0]]; };",
      [0, undefined],
    ],
    [
      "this and super",
      `
class A { async m() { return await this.v; } get v() { return 1; } }
class B extends A { get v() { return 2; } async m() { const n = await super.m(); return [n, await super.v]; } }
exports.main = async () => new B().m();`,
      [2, 1],
    ],
    [
      "new.target",
      "function C() { this.p = (async () => { await null; return new.target === C; })(); }\nexports.main = async () => await new C().p;",
      true,
    ],
    [
      "class fields and static blocks",
      `
exports.main = async () => {
  class A { static p = (async () => await 1)(); static q; static { A.q = (async () => { try { await null; throw 2; } catch (e) { return e; } })(); } f = async () => await 3; }
  return [await A.p, await A.q, await new A().f()];
};`,
      [1, 2, 3],
    ],
    [
      "a catch in a parameter",
      "exports.main = async (a = class { static { try { throw 1; } catch (e) { this.e = e; } } }.e) => await a;",
      1,
    ],
    [
      "computed keys of what is in it",
      "exports.main = async () => { const o = { async [await 'a']() { return await 1; } }; class A extends (await Object) { [await 'b']() { return 2; } } return [await o.a(), new A().b()]; };",
      [1, 2],
    ],
    [
      "loops with labels",
      `
exports.main = async () => { const seen = [];
  outer: for await (const a of [1, 2, 3]) { inner: for await (const b of [4, 5]) { if (a === 2) continue outer; if (b === 5) break inner; if (a === 3) break outer; seen.push([a, b]); } }
  return seen; };`,
      [[1, 4]],
    ],
    [
      "a for await without a block",
      "exports.main = async () => { let n = 0; if (true) for await (const a of [1, 2]) n += await a; else n = 9; return n; };",
      3,
    ],
    [
      "a finally that returns",
      "exports.main = async () => { try { return await Promise.reject(1); } finally { return await 2; } };",
      2,
    ],
    [
      "a finally that breaks out",
      "exports.main = async () => { for (;;) { try { throw await 1; } finally { break; } } return 3; };",
      3,
    ],
    [
      "an await as a statement without semicolons",
      "exports.main = async () => {\n  const a = 1\n  await null\n  const b = a\n  await (async () => {})()\n  return b\n}",
      1,
    ],
    [
      "await of an await, of a spread, in a template",
      "exports.main = async () => [...await [await await 1], `${" +
        "await 2}`, -await 3, typeof await 4, (await { x: 5 }).x, (await null)?.x];",
      [1, "2", -3, "number", 5, undefined],
    ],
    [
      "functions that are declared in the body",
      "exports.main = async () => { return [await f(), g()]; function f() { return 1; } function g() { return 2; } };",
      [1, 2],
    ],
    [
      "two functions of one name",
      "exports.main = async () => { await null; function f() { return 1; } function f() { return 2; } return f(); };\nexports.b = async () => await 1;",
      2,
    ],
    [
      "a variable with the name of a function",
      "exports.main = async () => { var f; await null; function f() { return 3; } if (f) { var { f: [f] } = { f: [f] }; } return f(); };\nexports.b = async () => await 1;",
      3,
    ],
    [
      "minified code",
      "exports.main=async()=>{const f=async function*(){yield(1);yield*[2];return(await 3)};let n=0;for await(const a of(f()))n+=a;return(await(async()=>{if(n)await(0);else await(1);return(n)})())+await(4)};",
      7,
    ],
    [
      "names that are not ASCII",
      "const naïve = 'ü\u2028';\nexports.main = async () => await naïve;",
      "ü\u2028",
    ],
    [
      "an async generator",
      `
async function* numbers(n) { try { for (let i = 0; i < n; i++) { const sent = yield i; if (sent) yield sent; } return "end"; } finally { yield "last"; } }
exports.main = async () => { const it = numbers(3); const seen = [await it.next(), await it.next("sent"), await it.return("gone"), await it.next(), await it.next()]; for await (const n of numbers(2)) seen.push(n); return JSON.stringify(seen); };`,
      '[{"value":0,"done":false},{"value":"sent","done":false},{"value":"last","done":false},{"value":"gone","done":true},{"value":null,"done":true},0,1,"last"]'.replace(
        '{"value":null,"done":true}',
        '{"done":true}',
      ),
    ],
  ])("is the same with %s", async (_, code, expected) => {
    expect(linesIn(framed(code)!)).toBe(linesIn(code));
    expect(await resultOf(code)).toEqual(expected);
  });

  it("is the same with top-level await, import and a hashbang", () => {
    const code =
      '#!/usr/bin/env node\n"use client";\nimport x from "x" with { type: "json" };\nawait x;\nexport const f = async () => await x;\nfor await (const y of x) await y;';
    const changed = framed(code, "module")!.split("\n");
    // What is no function is no task.
    expect(changed.filter((_, i) => i !== 4)).toEqual(code.split("\n").filter((_, i) => i !== 4));
  });

  it("is the same where its engine knows `using`, and left alone where the end can't be seen", () => {
    const changed = framed("exports.main = async () => { { await using a = b(); await a; } };")!;
    expect(changed).toMatch(/await using a = b\(\);;using \w+=__qsf\.until\(1\)/);
    expect(framed("exports.main = async () => { for (await using a of b) { await a; } };")).toBeUndefined();
  });
});

describe("left alone", () => {
  it.each([
    ["code without async functions", "exports.main = () => 1; // async"],
    ["an async function that waits for nothing", "exports.main = async () => 1;"],
    ["what is in a `with`", "with (exports) { main = async () => await x; }"],
    ["what has a `with`", "exports.main = async () => { with (exports) { await x; } };"],
    ["a file whose comment says so", "// queuescope-frames off file\nexports.main = async () => await 1;"],
    [
      "a function whose comment says so, and all in it",
      "/* queuescope-frames off */\nexports.main = async () => {\n  const inner = async () =>\n    await 1;\n  await inner(); };",
    ],
    [
      "what eval and new Function make",
      'eval("async () => await 1"); new Function("return async () => await 1");',
    ],
  ])("is %s", (_, code) => {
    expect(framed(code)).toBeUndefined();
  });

  it("is only the function below the comment", () => {
    const changed = framed(
      "exports.a = async () => await 1; // queuescope-frames off\nexports.b = async () => await 1;\nexports.c = async () => await 1;",
    )!;
    expect(changed.split("\n").map((line) => line.includes("__qsf"))).toEqual([false, false, true]);
  });

  it("is what was transformed before", () => {
    expect(framed(framed("exports.main = async () => await 1;")!)).toBeUndefined();
  });

  it("is what the parser doesn't know, with a reason", () => {
    expect(() => framed("class A { accessor x = async () => await 1; }")).toThrow(SyntaxError);
    expect(() => framed(`async () => await ${"(".repeat(200_000)}`)).toThrow(/stack/);
  });
});

describe("a function's text", () => {
  it("runs where there is no runtime: in the page of a browser, in another realm", async () => {
    const { main } = loaded<{ main: () => unknown }>(`
exports.main = async (n = 2) => {
  async function* numbers() { yield* [1]; for await (const x of [2, 3]) yield x; }
  const seen = [];
  try { for await (const x of numbers()) seen.push(x); await Promise.reject(4); } catch (e) { seen.push(e); } finally { await null; }
  return (async () => [...seen, await n])();
};`);
    const sent = runInNewContext(`(${main})(5)`) as Promise<number[]>;
    expect([...(await sent)]).toEqual([1, 2, 3, 4, 5]);
  });
});

describe("what it gives back", () => {
  it("are the same promises, to which nothing listens", async () => {
    const { main } = loaded<App>("exports.main = async (p) => { await null; return p; };");
    const listened: unknown[] = [];
    const promise = Promise.resolve(1);
    const { then } = promise;
    // biome-ignore lint/suspicious/noThenProperty: to see who calls it
    promise.then = ((...args: Parameters<typeof then>) => {
      listened.push(args.length);
      return Reflect.apply(then, promise, args);
    }) as never;
    expect(await new FakeTask().run(() => main(promise))).toBe(1);
    expect(listened).toEqual([2]);
  });

  it.each([
    ["(await f)();", "(intermediate value) is not a function"],
    ["(await f).x.y();", "Cannot read properties of undefined (reading 'y')"],
    ["(await f).x();", "(intermediate value).x is not a function"],
    ["const { x } = await null;", "Cannot destructure property 'x' of '(intermediate value)' as it is null."],
    ["for await (const x of f);", "f is not async iterable"],
    ["for await (const x of f.g.h);", "Cannot read properties of undefined (reading 'h')"],
    ["for await (const x of g.g());", "g.g(...) is not a function or its return value is not async iterable"],
  ])("are V8's messages: %s", async (statement, message) => {
    const code = `const f = {}, g = { g: () => 1 };\nexports.main = async () => { ${statement} };`;
    await expect(resultOf(code)).rejects.toThrow(message);
    const plain: App = {} as App;
    new Function("exports", code)(plain);
    await expect(plain.main()).rejects.toThrow(message);
  });

  it("are errors with their lines, and async stacks", async () => {
    const code = `
async function inner() { await null;
  throw new Error("no"); }
const middle = async () =>
  await inner();
exports.main = async () => {
  await middle(); };`;
    const lines = async (promise: Promise<unknown>) => {
      const { stack } = (await promise.catch((error: unknown) => error)) as Error;
      return [...stack!.matchAll(/(\w+) \(?[^()]*app\.js:(\d+):\d+/g)].map(
        ([, name, line]) => `${name}:${line}`,
      );
    };
    const found = await lines(resultOf(code));
    expect(found).toEqual(["inner:3", "middle:5", "main:7"]);
  });
});

describe("source maps", () => {
  const positions = async (code: string) => {
    const { SourceMap } = await import("node:module");
    const [, data] = /sourceMappingURL=data:application\/json;base64,(.*)$/.exec(code)!;
    return new SourceMap(JSON.parse(Buffer.from(data!, "base64").toString()));
  };
  const originalOf = async (code: string, text: string) => {
    const before = code.slice(0, code.indexOf(text)).split("\n");
    const entry = (await positions(code)).findEntry(before.length - 1, before.at(-1)!.length);
    return "originalLine" in entry ? [entry.originalLine + 1, entry.originalColumn + 1] : [];
  };

  it("of a file's own columns are made where they are wanted", async () => {
    const code = "const a = 1;\nexports.main = async () => { await a; throw two(await three); };";
    expect(framed(code)).not.toContain("sourceMappingURL");
    const changed = framed(code, "commonjs", true)!;
    expect(await originalOf(changed, "two(")).toEqual([2, code.split("\n")[1]!.indexOf("two(") + 1]);
    expect(await originalOf(changed, "three")).toEqual([2, code.split("\n")[1]!.indexOf("three") + 1]);
  });

  it("of other tools are continued, and tell the places", async () => {
    const { transform } = await import("esbuild");
    const source =
      "// queuescope-frames off\nexport const off = async () => await 1;\nenum A { B }\n\nexport const main = async (): Promise<A> => {\n  const a = 1;\n  return (await Promise.all([a, boom(a)]))[0];\n};\n";
    const { code } = await transform(source, {
      loader: "ts",
      sourcemap: "inline",
      sourcefile: "app.ts",
      minifyWhitespace: true,
    });
    const changed = framed(code, "module")!;
    expect(await originalOf(changed, "boom(")).toEqual([7, 33]);
    expect(changed).toContain('"/src/app.ts\\nmain\\n5:21 7:3 7:11"');
    expect(changed.match(/__qsf=/g)).toHaveLength(1);
  });
});

describe("files", () => {
  it.each([
    ["/app/src/a.js", [], true],
    ["/app/node_modules/a/index.js", [], false],
    ["/app/node_modules/a/index.js", ["a"], true],
    ["/app/node_modules/ab/index.js", ["a"], false],
    ["/app/node_modules/a/node_modules/b/index.js", ["a"], false],
    ["/app/node_modules/.pnpm/a@1/node_modules/a/x.js", ["a"], true],
    ["/app/node_modules/@acme/a/x.js", ["@acme/a"], true],
    ["/app/node_modules/@acme/a/x.js", ["@acme/*"], true],
    ["/app/node_modules/@acme/a/x.js", ["@acme/b", "a"], false],
    ["C:\\app\\node_modules\\a\\x.js", ["a"], true],
    ["C:\\app\\node_modules\\b\\x.js", ["a"], false],
    ["/app/my_node_modules/x.js", [], true],
  ])("%s with %j: %s", (path, packages, expected) => {
    expect(isSelected(path, packages)).toBe(expected);
  });

  it("of this library are never transformed", () => {
    expect(isSelected(new URL("../../src/index.ts", import.meta.url).pathname, [])).toBe(false);
    expect(isSelected(new URL("../../test/frames/run.ts", import.meta.url).pathname, [])).toBe(true);
  });

  it("are named by packages, or scopes", () => {
    expect(["a", "@a/b", "@a/*", "a.b-c"].every(isPackageName)).toBe(true);
    expect(["", "*", "a/b", "@a", "a/*", " a", 1].some(isPackageName)).toBe(false);
  });
});

it("a generator that is given up is current no longer", async () => {
  const { main } = loaded<App>(
    "async function* g() { yield 1; }\nexports.main = async () => { const it = g(); await it.next(); await never(); };",
    {
      never: () => new Promise(() => {}),
    },
  );
  const task = new FakeTask();
  void task.run(() => main());
  await turn();
  expect(task.branches).toEqual(["g app.js:1 < main app.js:2"]);
});
