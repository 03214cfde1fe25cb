import type { HeapGraph } from "./heap-graph.js";

/** A suspended async function in a heap. */
export interface Found {
  /** What the inspector knows the object by. */
  readonly heapId: number;
  /** Empty where it has none. */
  readonly name: string;
  /** The class of its `this`, where that says something. */
  readonly owner: string | undefined;
  /** The URL or path of its script. */
  readonly script: string;
  /** The same for those that most likely wait at the same `await`: the same function, with the same registers in use, that waits for the same. */
  readonly likeness: string;
  /** The indices of those that wait for it. */
  readonly awaitedBy: readonly number[];
  /** What is in the async context that it runs in, as objects of the heap. */
  readonly stores: readonly number[];
  /** The promise that it waits for, as an object of the heap. */
  readonly awaits: number | undefined;
}

/** V8's own names for what async functions are made of. */
const NAMES = {
  promise: "Promise",
  reaction: "system / PromiseReaction",
  capability: "system / PromiseCapability",
  request: "system / AsyncGeneratorRequest",
  contextFrame: "AsyncContextFrame",
  storage: "AsyncLocalStorage",
} as const;

/** How far a promise is followed to the function that waits for it: over `then`, `Promise.all`, resolvers. */
const MAX_STEPS = 1_000;

/**
 * Finds the async functions that are suspended, and who waits for whom. An async function holds the promise that it returned. A promise
 * holds reactions: those of an `await` hold the waiting function, others a further promise that is settled by them.
 */
export function findSuspended(graph: HeapGraph): Found[] {
  return new Finder(graph).find();
}

class Finder {
  private readonly names: ReadonlyMap<number, string>;
  private readonly generators: number[] = [];
  private readonly indexOf = new Map<number, number>();
  /** By index: the promise that it waits for, and the reaction by which it will go on. */
  private readonly awaits = new Map<number, { readonly promise: number; readonly reaction: number }>();
  private readonly builtins = new Map<number, boolean>();

  constructor(private readonly graph: HeapGraph) {
    this.names = graph.strings.indicesOf(new Set([...Object.values(NAMES), "parameters_and_registers"]));
  }

  find(): Found[] {
    this.findGenerators();
    this.findAwaits();
    const { generators } = this;
    const promises = generators.map((generator) => this.promisesOf(generator));
    const awaitedBy = promises.map((each) => [
      ...new Set(each.flatMap((promise) => this.waitersOf(promise))),
    ]);
    const awaited = generators.map(() => new Set<number | undefined>());
    for (const [index, waiters] of awaitedBy.entries()) {
      for (const waiter of waiters) awaited[waiter]!.add(this.shared(generators[index]!));
    }
    return generators.map((generator, index) => {
      const awaits = this.awaits.get(index);
      const below = [...awaited[index]!].sort().join(",");
      return {
        heapId: this.graph.nodeId[generator]!,
        name: this.functionName(generator),
        owner: this.ownerOf(generator),
        script: this.scriptOf(generator),
        likeness: `${this.shared(generator)} ${this.registers(generator)} ${below}`,
        awaitedBy: awaitedBy[index]!,
        stores: this.storesOf(promises[index]!, awaits?.reaction),
        awaits: awaits?.promise,
      };
    });
  }

  /** What is suspended holds its registers. Of these, what returned no promise is a plain generator, which waits for nothing. */
  private findGenerators(): void {
    const { graph, names } = this;
    for (let node = 0; node < graph.nodeCount; node++) {
      for (let edge = graph.firstEdge[node]!; edge < graph.firstEdge[node + 1]!; edge++) {
        if (names.get(graph.edgeName[edge]!) !== "parameters_and_registers") continue;
        if (graph.typeOfEdge(edge) !== "internal" || this.promisesOf(node).length === 0) continue;
        this.indexOf.set(node, this.generators.length);
        this.generators.push(node);
      }
    }
  }

  private findAwaits(): void {
    const { graph } = this;
    for (let node = 0; node < graph.nodeCount; node++) {
      if (!this.is(node, NAMES.promise)) continue;
      for (const reaction of this.reactionsOf(node)) {
        for (const { generator } of this.handlersOf(reaction)) {
          if (generator !== undefined) this.awaits.set(generator, { promise: node, reaction });
        }
      }
    }
  }

  private is(node: number, name: string): boolean {
    return this.names.get(this.graph.nodeName[node]!) === name;
  }

  /** The promise that an async function returned; of an async generator those of the calls of `next` that are not answered. */
  private promisesOf(generator: number): number[] {
    const { graph } = this;
    const promises: number[] = [];
    for (let edge = graph.firstEdge[generator]!; edge < graph.firstEdge[generator + 1]!; edge++) {
      // Others are what its variables hold.
      if (graph.typeOfEdge(edge) !== "hidden" && graph.typeOfEdge(edge) !== "internal") continue;
      const target = graph.edgeTo[edge]!;
      if (this.is(target, NAMES.promise)) promises.push(target);
      for (let request: number | undefined = target; request !== undefined; ) {
        if (!this.is(request, NAMES.request)) break;
        const held: number[] = [...graph.targets(request)];
        promises.push(...held.filter((each) => this.is(each, NAMES.promise)));
        request = held.find((each) => this.is(each, NAMES.request));
      }
    }
    return promises;
  }

  private *reactionsOf(promise: number): Iterable<number> {
    let next = this.graph.get(promise, "reactions_or_result");
    while (next !== undefined && this.is(next, NAMES.reaction)) {
      yield next;
      next = [...this.graph.targets(next)].find((each) => this.is(each, NAMES.reaction));
    }
  }

  /** What a reaction lets go on: a suspended function, by its index, or a further promise. */
  private *handlersOf(
    reaction: number,
  ): Iterable<{ readonly generator?: number; readonly promise?: number }> {
    for (const target of this.graph.targets(reaction)) {
      if (this.is(target, NAMES.reaction)) continue;
      yield* this.outcomeOf(target);
      const context = this.isBuiltin(target) ? this.graph.get(target, "context") : undefined;
      if (context === undefined) continue;
      for (const held of this.graph.targets(context)) yield* this.outcomeOf(held);
    }
  }

  private *outcomeOf(node: number) {
    const generator = this.indexOf.get(node);
    if (generator !== undefined) yield { generator };
    else if (this.is(node, NAMES.promise)) yield { promise: node };
    else if (this.is(node, NAMES.capability)) {
      for (const held of this.graph.targets(node)) if (this.is(held, NAMES.promise)) yield { promise: held };
    }
  }

  /** Whether it is a function of V8's: those of the user's hold whatever their code mentions. */
  private isBuiltin(node: number): boolean {
    const { graph } = this;
    if (graph.typeOf(node) !== "closure") return false;
    const shared = graph.get(node, "shared");
    if (shared === undefined) return false;
    const known = this.builtins.get(shared);
    if (known !== undefined) return known;
    const isBuiltin = this.script(shared) === undefined;
    this.builtins.set(shared, isBuiltin);
    return isBuiltin;
  }

  /** The indices of the functions that go on when the promise is settled. */
  private waitersOf(promise: number): number[] {
    const waiters: number[] = [];
    const seen = new Set([promise]);
    for (const each of seen) {
      for (const reaction of this.reactionsOf(each)) {
        const outcomes = [...this.handlersOf(reaction)];
        const generators = outcomes.flatMap(({ generator }) => generator ?? []);
        waiters.push(...generators);
        // An `await` makes a promise of its own, which means nothing.
        if (generators.length > 0) continue;
        for (const outcome of outcomes) if (outcome.promise !== undefined) seen.add(outcome.promise);
      }
      if (seen.size > MAX_STEPS) break;
    }
    return waiters;
  }

  private functionName(generator: number): string {
    const closure = this.graph.get(generator, "function");
    return closure === undefined ? "" : this.graph.nameOf(closure);
  }

  private ownerOf(generator: number): string | undefined {
    const receiver = this.graph.get(generator, "receiver");
    if (receiver === undefined || this.graph.typeOf(receiver) !== "object") return undefined;
    const name = this.graph.nameOf(receiver);
    return /^(Object|Module|Array|global|Window|)$|[ /(]/.test(name) ? undefined : name;
  }

  /** What all calls of a function have in common. */
  private shared(generator: number): number | undefined {
    const closure = this.graph.get(generator, "function");
    return closure === undefined ? undefined : this.graph.get(closure, "shared");
  }

  private scriptOf(generator: number): string {
    const shared = this.shared(generator);
    const script = shared === undefined ? undefined : this.script(shared);
    return script === undefined ? "" : this.graph.nameOf(script);
  }

  private script(shared: number): number | undefined {
    const { graph } = this;
    const held = graph.get(shared, "script") ?? graph.get(shared, "script_or_debug_info");
    // While it is debugged there is something in between.
    return held !== undefined && graph.nameOf(held).startsWith("system /") ? graph.get(held, "script") : held;
  }

  /** Which of them have what kind of object. */
  private registers(generator: number): string {
    const { graph } = this;
    const registers = graph.get(generator, "parameters_and_registers")!;
    const kinds: string[] = [];
    for (let edge = graph.firstEdge[registers]!; edge < graph.firstEdge[registers + 1]!; edge++) {
      const target = graph.edgeTo[edge]!;
      const type = graph.typeOf(target);
      kinds.push(`${graph.nameOfEdge(edge)}:${type === "object" ? graph.nameOf(target) : type}`);
    }
    return kinds.join(" ");
  }

  /** Up to Node 22 a promise has a property for each AsyncLocalStorage; since then, a reaction holds the map of them. */
  private storesOf(promises: readonly number[], reaction: number | undefined): number[] {
    const { graph } = this;
    const stores: number[] = [];
    for (const promise of promises) {
      for (let edge = graph.firstEdge[promise]!; edge < graph.firstEdge[promise + 1]!; edge++) {
        if (graph.typeOfEdge(edge) === "property" && graph.nameOfEdge(edge).includes("kResourceStore")) {
          stores.push(graph.edgeTo[edge]!);
        }
      }
    }
    if (reaction === undefined) return stores;
    for (const frame of graph.targets(reaction)) {
      if (!this.is(frame, NAMES.contextFrame)) continue;
      const table = graph.get(frame, "table");
      if (table === undefined) continue;
      for (const held of graph.targets(table)) if (!this.is(held, NAMES.storage)) stores.push(held);
    }
    return stores;
  }
}
