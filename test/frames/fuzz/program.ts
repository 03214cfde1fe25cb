import { random } from "../../../src/testing/random.js";

/** What is written: a function that may call those with higher numbers, so that every program ends. */
interface Callee {
  readonly name: string;
  readonly kind: "async" | "generator" | "plain";
}

const HAS_USING = (() => {
  try {
    new Function("{ using x = null; }");
    return true;
  } catch {
    return false;
  }
})();

/** How deep statements are nested, and how many functions a program has. */
const MAX_DEPTH = 3;
const MAX_FUNCTIONS = 6;

/**
 * A random program of async functions, the same for each seed: the body of a function of `log`, `fuel` and `ticks`. It tells all that it does, in order,
 * and returns a promise. No two statements share a line, so that a stack's lines say where it was.
 */
export function randomProgram(seed: number): string {
  return new Writer(seed).program();
}

class Writer {
  private readonly dice: { below(limit: number): number };
  private names = 0;
  /** The functions that may be called now. */
  private callees: readonly Callee[] = [];
  private inside: "async" | "generator" | "plain" = "plain";
  private labels: string[] = [];
  private loops = 0;
  private depth = 0;

  constructor(seed: number) {
    this.dice = random(seed);
  }

  program(): string {
    const isStrict = this.dice.below(2) === 0;
    const count = 2 + this.dice.below(MAX_FUNCTIONS - 1);
    const written: string[] = [];
    const callees: Callee[] = [];
    for (let i = count - 1; i >= 0; i--) {
      this.callees = [...callees];
      const name = `f${i}`;
      const kind = i === 0 ? "async" : this.pick(["async", "async", "async", "generator", "plain"] as const);
      written.unshift(this.function(name, kind));
      callees.push({ name, kind });
    }
    return `${isStrict ? '"use strict";\n' : ""}${HELPERS}\n${written.join("\n")}\nreturn called(f0, ${this.dice.below(9)});`;
  }

  private function(name: string, kind: Callee["kind"]): string {
    const { inside, labels, loops } = this;
    Object.assign(this, { inside: kind, labels: [], loops: 0 });
    const text = this.inForm(name, kind);
    Object.assign(this, { inside, labels, loops });
    return text;
  }

  private inForm(name: string, kind: Callee["kind"]): string {
    const head = `\nif (fuel.left-- < 0) return "empty";\nlog("${name} begins " + a);\n`;
    const body = () => `{${head}${this.statements(2 + this.dice.below(4))}}`;
    if (kind === "plain") return `function ${name}(a = 1) {${head}return ${this.promise()};\n}`;
    if (kind === "generator") {
      return this.pick([
        () => `async function* ${name}(a = 1) ${body()}`,
        () => `const ${name} = async function*(a = 1) ${body()};`,
        () => `const ${name} = { async *m(a = 1) ${body()} }.m;`,
        () => `class C${name} { static async *m(a = 1) ${body()} }\nconst ${name} = (a) => C${name}.m(a);`,
      ])();
    }
    return this.pick([
      () => `async function ${name}(a = 1) ${body()}`,
      () =>
        `async function ${name}(a, ...rest) {\n"use asm no";${head}log(arguments.length);\n${this.statements(3)}}`,
      () => `const ${name} = async (a = 1) => ${body()};`,
      () => `const ${name} = async a =>\n${this.expression()};`,
      () => `const ${name} = async a => (${this.promise()});`,
      () => `const ${name} = async (a) => ({ a, b: ${this.awaited()} });`,
      () => `const ${name} = async a => [${this.awaited()}, ${this.awaited()}];`,
      () => `const ${name} = { v: "${name}", async m(a) {${head}log(this.v);\n${this.statements(3)}} };`,
      () =>
        `class B${name} { async m(a) {${head}${this.statements(2)}} }\nclass D${name} extends B${name} {\n#p = async a => ${this.awaited()};\nasync m(a) {${head}const s = await super.m(a);\nlog(show(s));\nlog(new.target === undefined);\nlog(show(await this.#p(a)));\n${this.statements(2)}} }\nconst ${name} = (a) => new D${name}().m(a);`,
    ])();
  }

  private statements(count: number): string {
    let text = "";
    for (let i = 0; i < count; i++) text += `${this.statement()}\n`;
    return text;
  }

  private statement(): string {
    if (this.depth >= MAX_DEPTH) return this.simple();
    this.depth++;
    const text = this.dice.below(5) < 2 ? this.compound() : this.simple();
    this.depth--;
    return text;
  }

  private simple(): string {
    const name = this.fresh();
    return this.pick([
      () => `log(${this.text()});`,
      () => `log(show(${this.awaited()}));`,
      () => `${this.awaited()};`,
      () => `const ${name} = ${this.expression()};\nlog(show(${name}));`,
      () => `let ${name};\n${name} = ${this.awaited()}\nlog(show(${name}))`,
      () =>
        `const { x: ${name} = ${this.awaited()} } = ${this.pick(["{}", "{ x: 5 }"])};\nlog(show(${name}));`,
      () => `void ${this.call()}.catch(e => log("aside " + show(e)));`,
      () => (this.dice.below(4) === 0 ? `void ${this.call()};` : `log(show(${this.awaited()}));`),
      () => `queueMicrotask(() => log(${this.text()}));`,
      () => `process.nextTick(log, ${this.text()});`,
      () => `${this.inside === "plain" ? "" : "await "}turn();`,
      () => (this.dice.below(3) === 0 ? `throw new Error(${this.text()});` : `log(${this.text()});`),
      () => (this.dice.below(3) === 0 ? this.returned() : `log(show(${this.awaited()}));`),
      () => this.jump(),
      () => this.yielded(),
      () => this.driven(),
    ])();
  }

  private compound(): string {
    return this.pick([
      () => `if (${this.condition()}) ${this.block()} else ${this.block()}`,
      () => `if (${this.condition()})\n${this.loopForAwait()}\nelse ${this.block()}`,
      () => this.tries(),
      () => this.tries(),
      () => this.loop(),
      () => this.loop(),
      () => this.loopForAwait(),
      () => this.loopForAwait(),
      () =>
        `switch (${this.awaited()}) {\ncase 1:\n${this.statements(1)}break;\ndefault:\n${this.statements(1)}}`,
      () => (HAS_USING ? this.using() : this.tries()),
      () => {
        const name = this.fresh();
        const written = this.function(name, "async");
        return this.inside === "plain" ? written : `${written}\nlog(show(await called(${name}, 2)));`;
      },
    ])();
  }

  private block(): string {
    return `{\n${this.statements(1 + this.dice.below(2))}}`;
  }

  private tries(): string {
    const body = this.block();
    const name = this.fresh();
    const caught = this.pick([
      ` catch (${name}) {\nlog("caught " + show(${name}));\n${this.statements(1)}}`,
      ` catch {\n${this.statements(1)}}`,
    ]);
    const last = ` finally {\nlog("finally");\n${this.statements(1)}}`;
    return `try ${body}${this.pick([caught, last, caught + last])}`;
  }

  private loop(): string {
    const name = this.fresh();
    const label = `l${name}`;
    this.labels.push(label);
    this.loops++;
    const body = this.block();
    this.loops--;
    this.labels.pop();
    return this.pick([
      `${label}: for (let ${name} = ${this.awaited()}, n${name} = 0; n${name} < 2; n${name}++) ${body}`,
      `${label}: for (const ${name} of [1, ${this.awaited()}]) ${body}`,
      `let ${name} = 2;\n${label}: while (${name}-- > 0) ${body}`,
      `let ${name} = 2;\n${label}: do ${body} while (--${name} > ${this.awaited()} * 0)`,
    ]);
  }

  private loopForAwait(): string {
    if (this.inside === "plain") return this.block();
    const name = this.fresh();
    const isLabelled = this.dice.below(2) === 0;
    if (isLabelled) this.labels.push(`l${name}`);
    this.loops++;
    const body = this.dice.below(5) === 0 ? this.awaitedStatement() : this.block();
    this.loops--;
    if (isLabelled) this.labels.pop();
    const head = this.pick([`const ${name}`, `let { y: ${name} = ${this.awaited()} }`, `var ${name}`]);
    return `${isLabelled ? `l${name}: ` : ""}for await (${head} of ${this.iterable()}) ${body}`;
  }

  private awaitedStatement(): string {
    return `\nlog(show(${this.awaited()}));`;
  }

  private using(): string {
    if (this.inside === "plain") return this.block();
    const [first, second] = [this.fresh(), this.fresh()];
    return this.pick([
      () => `{\nawait using ${first} = closable("${first}", ${this.dice.below(3)});\n${this.statements(2)}}`,
      () =>
        `{\nusing ${first} = closable("${first}", 0);\nawait using ${second} = ${this.pick([`closable("${second}", ${this.dice.below(3)})`, "null"])};\n${this.statements(1)}}`,
      () =>
        `for (const ${first} of [1, 2]) {\nawait using ${second} = closable("${second}", 0), n${second} = null;\n${this.statements(1)}}`,
      () => `for (await using ${first} of [closable("a", 0), null]) ${this.block()}`,
    ])();
  }

  private jump(): string {
    if (this.loops === 0) return `log(${this.text()});`;
    const word = this.pick(["break", "continue"]);
    const label = this.labels.length > 0 && this.dice.below(2) === 0 ? ` ${this.pick(this.labels)}` : "";
    return `if (${this.condition()}) ${word}${label};`;
  }

  private returned(): string {
    return `if (${this.condition()}) ${this.pick([
      () => `return ${this.promise()};`,
      () => `return ${this.promise()};`,
      () => `return ${this.expression()};`,
      () => `return ${this.awaited()}`,
      () => "return;",
      () => `return 1, ${this.promise()};`,
      () => `return ${this.condition()} ? ${this.promise()} : ${this.awaited()};`,
      () => `return ${this.inside === "plain" ? "" : "await "}${this.promise()};`,
    ])()}`;
  }

  private yielded(): string {
    if (this.inside !== "generator") return `log(show(${this.awaited()}));`;
    return this.pick([
      () => `log(show(yield ${this.expression()}));`,
      () => `yield\nlog("on");`,
      () => `yield ${this.promise()};`,
      () => `log(show(yield* ${this.iterable(false)}));`,
      () => `log(show((yield) ?? (yield ${this.awaited()})));`,
    ])();
  }

  /** A generator that is driven by hand. */
  private driven(): string {
    const generators = this.callees.filter(({ kind }) => kind === "generator");
    if (generators.length === 0 || this.inside === "plain") return `log(show(${this.awaited()}));`;
    const name = this.fresh();
    const last = this.pick([
      `log(show(await ${name}.return(${this.promise()})));`,
      `log(show(await ${name}.throw(new Error("thrown in")).catch(e => e)));`,
      `log(show(await ${name}.next()));`,
      `${name}.next();\n${name}.next();\nlog(show(await ${name}.return(7)));`,
      "",
    ]);
    return `const ${name} = ${this.pick(generators).name}(${this.dice.below(5)});\nlog(show(await ${name}.next(${this.dice.below(5)})));\n${last}`;
  }

  private iterable(mayFail = true): string {
    const generators = this.callees.filter(({ kind }) => kind === "generator");
    return this.pick([
      () => (generators.length > 0 ? `${this.pick(generators).name}(2)` : "[1, 2]"),
      () => (generators.length > 0 ? `${this.pick(generators).name}(3)` : `[${this.promise()}]`),
      () => `[1, ${this.promise()}, ${this.awaited()}]`,
      () => `counted(${this.dice.below(3)}, ${this.dice.below(4)})`,
      () => `syncCounted(${this.dice.below(3)}, ${this.dice.below(3)})`,
      () => '"ab"',
      // Of `yield*` on such V8 says nothing that is worth keeping.
      () => (mayFail ? this.pick(["process", "undefined", "process.pid", "turn()", "broken"]) : "broken"),
    ])();
  }

  /** Something to be awaited. */
  private promise(): string {
    return this.pick([
      () => this.call(),
      () => this.call(),
      () => this.call(),
      () => `Promise.resolve(${this.dice.below(9)})`,
      () => `Promise.reject(new Error(${this.text()}))`,
      () => `ticks(${this.dice.below(4)})`,
      () =>
        `Promise.${this.pick(["all", "race", "any", "allSettled"])}([${this.call()}, ${this.promiseLeaf()}])`,
      () => `thenable(${this.dice.below(3)})`,
      () => `${this.call()}.then(v => ${this.call()})`,
      () => `${this.call()}.catch(e => show(e)).finally(() => log("last"))`,
      () => `new Special(r => r(${this.dice.below(5)}))`,
      () => "turn()",
    ])();
  }

  private promiseLeaf(): string {
    return this.pick(["ticks(2)", "Promise.reject(new Error('leaf'))", "3", "thenable(0)"]);
  }

  private awaited(): string {
    if (this.inside === "plain") return `${this.dice.below(5)}`;
    return this.pick([
      () => `await ${this.promise()}`,
      () => `await ${this.promise()}`,
      () => `(await ${this.promise()})`,
      () => `await ${this.dice.below(5)}`,
      () => `(await ${this.promise()})?.x`,
      () => `await (${this.condition()} ? ${this.promise()} : ${this.dice.below(5)})`,
      () => `await await ${this.promise()}`,
      () => `\`\${await ${this.promiseLeaf()}}\``,
      () => `-await ${this.dice.below(5)}`,
      () => `await (async () => ${this.call()})()`,
      () => `await\n${this.promise()}`,
    ])().replace(/^(await .*)$/s, "($1)");
  }

  private expression(): string {
    return this.pick([
      () => this.awaited(),
      () => `[${this.awaited()}, ${this.awaited()}]`,
      () => `${this.awaited()} + ${this.awaited()}`,
      () => `${this.awaited()} ?? ${this.awaited()}`,
      () => `${this.condition()} && ${this.awaited()}`,
      () => `({ p: ${this.awaited()} }).p`,
      () => `show(${this.awaited()}, ${this.awaited()})`,
      () => `${this.dice.below(9)}`,
      () => this.text(),
    ])();
  }

  private call(): string {
    if (this.callees.length === 0) return `ticks(${this.dice.below(3)})`;
    const { name, kind } = this.pick(this.callees);
    if (kind === "generator") return `drained(${name}(${this.dice.below(9)}))`;
    return `called(${name}, ${this.dice.below(9)})`;
  }

  private condition(): string {
    return this.pick(["fuel.left % 2 === 0", "fuel.left % 3 === 0", "true", "a > 3", "a === undefined"]);
  }

  private text(): string {
    return `"${this.fresh()}"`;
  }

  private fresh(): string {
    return `v${this.names++}`;
  }

  private pick<T>(choices: readonly T[]): T {
    return choices[this.dice.below(choices.length)]!;
  }
}

/** What programs use. None of it is async, so that only what is written at random differs. */
const HELPERS = `
const show = (v, w) => w !== undefined ? show(v) + "," + show(w) : v instanceof AggregateError ? "AggregateError " + v.errors.map(e => show(e)) : v instanceof Error ? v.name + ": " + v.message + (v.suppressed ? " over " + show(v.suppressed) + " was " + show(v.error) : "") + at(v) : typeof v === "object" && v !== null ? "{" + Object.keys(v).map(k => k + "=" + show(v[k])) + "}" : typeof v === "function" ? "function" : String(v);
const called = (f, a) => { const p = typeof f === "function" ? f(a) : f.m(a); return typeof p?.then === "function" ? p : Promise.resolve(p); };
const drained = (it) => it.next(1).then(({ value, done }) => done ? value : it.return(value).then(r => r.value));
const thenable = (n) => ({ then(yes, no) { log("then " + n); if (n === 2) no(new Error("thenable")); else yes(n); } });
const turn = () => new Promise(r => setImmediate(r));
class Special extends Promise { static get [Symbol.species]() { log("species"); return Promise; } get x() { return "special"; } }
const counted = (n, how) => ({ [Symbol.asyncIterator]() { log("iterates"); let i = 0; return { get next() { log("next?"); return (...args) => { log("next " + args.length); if (how === 1 && i === 1) throw new Error("next throws"); return i < n ? Promise.resolve({ value: i++, done: false }) : how === 2 ? { done: true, value: 9 } : Promise.resolve({ done: true }); }; }, get return() { log("return?"); return how === 3 ? undefined : (...args) => { log("return " + args.length); return ticks(1).then(() => ({ done: true })); }; } }; } });
const syncCounted = (n, how) => ({ [Symbol.iterator]() { let i = 0; return { next(...args) { log("sync next " + args.length); return i < n ? { value: how === 1 ? Promise.reject(new Error("sync value")) : Promise.resolve(i++), done: false } : { done: true }; }, return(...args) { log("sync return " + args.length); return {}; } }; } });
const broken = { [Symbol.asyncIterator]() { return 5; } };
const closable = (name, how) => ({ [Symbol.dispose]() { log("disposes " + name); }, [how === 1 ? "none" : Symbol.asyncDispose]() { log("closes " + name); if (how === 2) throw new Error("close " + name); return ticks(1).then(() => log("closed " + name)); } });
`;
