import { existsSync, readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const SRC = fileURLToPath(new URL("../src", import.meta.url));

/** What every layer stands on. */
const GROUND = ["base", "contracts"];

/** Who may import whom, layers or single files, as the design has it. A layer that has no row here fails, so that it gets one on purpose. */
const LAYERS: Record<string, { ours: readonly string[]; packages?: RegExp; types?: RegExp }> = {
  contracts: { ours: ["base/clock", "base/errors", "base/random-id"] },
  // `process-wide` has the form of what all copies of the library share, whatever layer that belongs to.
  base: {
    ours: [
      "contracts",
      "telemetry/metrics/histogram",
      "telemetry/metrics/instruments",
      "telemetry/metrics/process-vitals",
      "telemetry/metrics/queue-series",
    ],
    types: /^@opentelemetry\/api$/,
  },
  queue: { ours: GROUND },
  worker: { ours: GROUND },
  "worker/threads": {
    ours: ["worker", "telemetry/context/correlation", "telemetry/version", ...GROUND],
    packages: /^@opentelemetry\/api$/,
    types: /^piscina$/,
  },
  telemetry: { ours: [...GROUND], packages: /^@opentelemetry\/api$/ },
  "telemetry/sdk": { ours: ["telemetry", "inspector/inspect", ...GROUND], packages: /^@opentelemetry\// },
  // Reads what the telemetry has counted, and asks watchdogs; nothing of them knows of it.
  inspector: { ours: ["telemetry", "waits", "watchdog", ...GROUND], packages: /^@opentelemetry\/api$/ },
  waits: { ours: GROUND, packages: /^@opentelemetry\/api$/ },
  "stall-monitor": { ours: GROUND, packages: /^@opentelemetry\/api$/ },
  // It is loaded before all else, and so needs nothing of telemetry. The door has the same name.
  frames: {
    ours: ["waits/frame-list", "waits/places", ...GROUND],
    packages: /^(acorn|@jridgewell\/sourcemap-codec)$/,
  },
  watchdog: { ours: ["stall-monitor", "waits", ...GROUND], packages: /^@opentelemetry\/api$/ },
  adapters: { ours: GROUND, types: /./ },
  "adapters/instrument": {
    ours: ["telemetry", "adapters", "brokers/instrument", ...GROUND],
  },
  // The hub; each engine's folder is a layer of its own.
  brokers: { ours: ["telemetry", ...GROUND], packages: /^@opentelemetry\/api$/ },
  // The face of a queue in this process, over a broker.
  "brokers/opened": {
    ours: ["brokers", "queue/delivery", "queue/iteration", "queue/options", "telemetry", ...GROUND],
  },
  "brokers/bullmq": {
    ours: [
      "adapters/patch",
      "adapters/instrument",
      "brokers/carrier",
      "brokers/instrument",
      "telemetry/context/correlation",
      "telemetry/context/send-context",
      ...GROUND,
    ],
    packages: /^(@opentelemetry\/api|bullmq)$/,
    types: /^ioredis$/,
  },
  "brokers/amqplib": {
    ours: ["adapters/patch", ...GROUND],
    types: /^(amqplib|amqp-connection-manager|rabbitmq-client)$/,
  },
  // What other processes, and this one, wait for, by their heap.
  "await-tree": { ours: GROUND },
  // The command. Its subcommands show what other layers know.
  cli: {
    ours: ["await-tree", "inspector", "telemetry/sdk/metrics-server", "telemetry/version", ...GROUND],
  },
  // The suite for brokers drives clients as users do, with spans and metrics.
  testing: {
    ours: ["adapters/instrument", "telemetry/context/correlation", ...GROUND],
    packages: /^@opentelemetry\/api$/,
  },
  // A program of browsers: what it imports is bundled, and is no dependency of the package.
  page: { ours: ["inspector/protocol"], packages: /^(preact|preact\/hooks|uplot)$/ },
  // Doors: each is one entry of the package.
  index: {
    ours: [
      "adapters",
      "adapters/instrument",
      "brokers/opened",
      "queue",
      "worker",
      "telemetry",
      "waits",
      "watchdog",
      "base/errors",
    ],
  },
  adapter: { ours: ["adapters", "brokers/instrument", "brokers/opened", "contracts"] },
  checks: { ours: ["watchdog", "contracts"] },
  "frames-esbuild": { ours: ["frames"] },
  "prom-client": { ours: ["telemetry", ...GROUND] },
  inspect: { ours: ["inspector", "base/errors"] },
  sdk: { ours: ["telemetry/sdk"] },
  threads: { ours: ["worker/threads"] },
  bullmq: { ours: ["brokers/bullmq"] },
  amqplib: { ours: ["brokers/amqplib"] },
};

interface Import {
  readonly specifier: string;
  /** Gone when the types are: `import type`, not `import { type … }`, which still loads the module. */
  readonly typeOnly: boolean;
}

/** Strings are matched first, so that a `//` inside one is no comment. */
const COMMENTS = /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;
const STATEMENTS = /^\s*(?:import|export)\s+(type\s+)?(?:[\w*{}$,\s]+?\sfrom\s*)?["']([^"']+)["']/gm;
const CALLS = /\b(typeof\s+)?(?:import|require)\s*\(\s*["']([^"']+)["']\s*\)/g;

function importsOf(source: string): Import[] {
  const code = source.replace(COMMENTS, (_, text: string | undefined) => text ?? " ");
  return [...code.matchAll(STATEMENTS), ...code.matchAll(CALLS)].map(([, type, specifier]) => ({
    specifier: specifier!,
    typeOnly: type !== undefined,
  }));
}

/** `queue/deque.ts` belongs to `queue`, `index.ts` to `index`; what needs packages of its own is a layer of its own. */
function layerOf(file: string): string {
  if (/^worker\/threads[./]/.test(file)) return "worker/threads";
  if (/^telemetry\/sdk[./]/.test(file)) return "telemetry/sdk";
  const engine = /^brokers\/[^/]+(?=\/)/.exec(file);
  if (engine !== null) return engine[0];
  if (file === "adapters/instrument.ts") return "adapters/instrument";
  return file.includes("/") ? file.slice(0, file.indexOf("/")) : file.replace(/\.ts$/, "");
}

function complaint(file: string, { specifier, typeOnly }: Import): string | undefined {
  const layer = layerOf(file);
  const rules = LAYERS[layer];
  if (rules === undefined) return `${file}: the layer "${layer}" has no row in the table`;
  if (specifier.startsWith(".")) {
    const imported = targetOf(file, specifier);
    const target = layerOf(imported);
    if (
      target === layer ||
      [target, imported.replace(/\.ts$/, "")].some((each) => rules.ours.includes(each))
    ) {
      return undefined;
    }
    return `${file}: ${layer} may not import ${target} (${specifier})`;
  }
  if (isBuiltin(specifier) || rules.packages?.test(specifier)) return undefined;
  if (typeOnly && rules.types?.test(specifier)) return undefined;
  return `${file}: ${layer} may not import the package ${specifier}`;
}

/** The file, relative to `src`, that a relative import means. */
function targetOf(file: string, specifier: string): string {
  const target = relative(SRC, resolve(SRC, dirname(file), specifier)).replace(/\.js$/, ".ts");
  return existsSync(join(SRC, `${target}x`)) ? `${target}x` : target;
}

/** The first cycle among the files, as a path that ends where it starts. */
function cycleIn(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const target of graph.get(file) ?? []) {
      const cycle = visit(target, [...path, file]);
      if (cycle !== undefined) return cycle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const cycle = visit(file, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

describe("the layers of src", () => {
  const files = readdirSync(SRC, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => /\.tsx?$/.test(file))
    .sort();
  const imports = new Map(
    files.map((file) => [file, importsOf(readFileSync(join(SRC, file), "utf8"))] as const),
  );

  it("import only what the table allows", () => {
    const complaints = files.flatMap((file) =>
      imports.get(file)!.flatMap((each) => complaint(file, each) ?? []),
    );
    expect(complaints).toEqual([]);
  });

  it("import only files that exist, by their full name", () => {
    const missing = files.flatMap((file) =>
      imports
        .get(file)!
        .filter(({ specifier }) => specifier.startsWith("."))
        .filter(({ specifier }) => !specifier.endsWith(".js") || !imports.has(targetOf(file, specifier)))
        .map(({ specifier }) => `${file}: ${specifier}`),
    );
    expect(missing).toEqual([]);
  });

  it("have no import cycle, type-only imports included", () => {
    const graph = new Map(
      [...imports].map(([file, each]) => [
        file,
        each.map(({ specifier }) => specifier).flatMap((s) => (s.startsWith(".") ? targetOf(file, s) : [])),
      ]),
    );
    expect(cycleIn(graph)?.join(" -> ")).toBeUndefined();
  });
});

describe("the check itself", () => {
  it("sees every form of import and looks past comments", () => {
    const source = `
      import a from "./a.js"; // import x from "./x.js"
      import type { B } from './b.js';
      import {
        c, // with a comment, "quoted"
        type C,
      } from "./c.js";
      /* import y from "./y.js" */
      export * from "./d.js";
      export type { E } from "./e.js";
      import "./f.js";
      const g = await import("./g.js");
      let h: typeof import("./h.js");
      const url = "http://import.example/" // export * from "./z.js"
    `;
    expect(importsOf(source)).toEqual([
      { specifier: "./a.js", typeOnly: false },
      { specifier: "./b.js", typeOnly: true },
      { specifier: "./c.js", typeOnly: false },
      { specifier: "./d.js", typeOnly: false },
      { specifier: "./e.js", typeOnly: true },
      { specifier: "./f.js", typeOnly: false },
      { specifier: "./g.js", typeOnly: false },
      { specifier: "./h.js", typeOnly: true },
    ]);
  });

  it.each([
    ["queue/queue.ts", "../telemetry/observer.js", false],
    ["queue/queue.ts", "@opentelemetry/api", true],
    ["worker/pool.ts", "../queue/queue.js", true],
    ["worker/pool.ts", "piscina", false],
    ["worker/pool.ts", "./threads.js", true],
    ["worker/threads.ts", "piscina", false],
    ["worker/threads.ts", "../telemetry/spans.js", true],
    ["watchdog/watchdog.ts", "../queue/queue.js", true],
    ["telemetry/observer.ts", "./sdk/start.js", true],
    ["telemetry/observer.ts", "./sdk/runtime.js", true],
    ["telemetry/observer.ts", "@opentelemetry/sdk-node", true],
    ["adapters/p-queue.ts", "./instrument.js", true],
    ["waits/waits.ts", "../watchdog/watchdog.js", true],
    ["adapters/p-queue.ts", "p-queue", false],
    ["adapters/p-queue.ts", "../telemetry/observer.js", true],
    ["base/errors.ts", "../queue/queue.js", true],
    ["index.ts", "./telemetry/sdk/start.js", false],
    ["index.ts", "./testing.js", false],
    ["testing/rig.ts", "../adapters/ledger.js", false],
    ["testing.ts", "vitest", false],
    ["page/app.tsx", "../base/errors.js", false],
    ["page/app.tsx", "react", false],
    ["elsewhere/file.ts", "../base/errors.js", false],
  ])("refuses in %s an import of %s", (file, specifier, typeOnly) => {
    expect(complaint(file, { specifier, typeOnly })).toContain(file);
  });

  it.each([
    ["queue/queue.ts", "../contracts/index.js", false],
    ["queue/queue.ts", "node:v8", false],
    ["telemetry/sdk/start.ts", "@opentelemetry/sdk-node", false],
    ["telemetry/sdk/runtime.ts", "@opentelemetry/instrumentation-runtime-node", false],
    ["worker/threads.ts", "piscina", true],
    ["worker/threads/thread.ts", "../../telemetry/context/correlation.js", false],
    ["adapters/p-queue.ts", "p-queue", true],
    ["index.ts", "./adapters/instrument.js", false],
  ])("allows in %s an import of %s", (file, specifier, typeOnly) => {
    expect(complaint(file, { specifier, typeOnly })).toBeUndefined();
  });

  it("finds a cycle and names its files", () => {
    const graph = new Map([
      ["a", ["b"]],
      ["b", ["c"]],
      ["c", ["b"]],
    ]);
    expect(cycleIn(graph)).toEqual(["b", "c", "b"]);
  });
});

it("the main entry has at most sixty names", () => {
  const source = readFileSync(join(SRC, "index.ts"), "utf8");
  const lists = [...source.matchAll(/^export (?:type )?\{([^}]*)\}/gm)];
  const names = lists.flatMap(([, names]) => names!.split(",").filter((name) => name.trim() !== ""));
  expect(source.match(/^export /gm)).toHaveLength(lists.length);
  expect(names.length).toBeGreaterThan(30);
  expect(names.length).toBeLessThanOrEqual(60);
});
