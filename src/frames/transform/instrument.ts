import { functionName } from "./function-name.js";
import { type Insertion, Insertions } from "./insertions.js";
import { eachChild, inner, isFunction, type Node } from "./parse.js";
import { Scope } from "./scope.js";

/** What is told of the source while it is instrumented, by offsets into the code. */
export interface Source {
  /** Whether a comment says to leave the function that begins there alone. */
  isOff(offset: number): boolean;
  /** What the prologue tells the runtime of a function. */
  place(name: string | undefined, sites: readonly number[]): string;
}

/** Values of which it is plain that they are no promises. */
const NO_PROMISE = new Set([
  "ArrayExpression",
  "ArrowFunctionExpression",
  "AwaitExpression",
  "BinaryExpression",
  "ClassExpression",
  "FunctionExpression",
  "Literal",
  "ObjectExpression",
  "TemplateLiteral",
  "ThisExpression",
  "UnaryExpression",
  "UpdateExpression",
]);

/** A call as this one is "(intermediate value)" in V8's messages, as an `await` is: `(intermediate value).foo is not a function`. */
const UNNAMED = "?.";

/** What is to be put into the code, so that each async function has a frame while it runs. Everything is put into lines that are there. */
export function instrumented(code: string, program: Node, source: Source): Insertion[] {
  const walk = new Walk(source);
  walk.visit(program, undefined, undefined);
  return walk.insertions.sorted(code);
}

class Walk {
  readonly insertions = new Insertions();
  private readonly parents: Node[] = [];
  /** How many `with` statements are around, in which a name may mean anything, and functions that are off. */
  private withs = 0;
  private offs = 0;
  private disposals = 0;

  constructor(private readonly source: Source) {}

  visit(node: Node, key: string | undefined, scope: Scope | undefined): void {
    const isOff = isFunction(node) && this.source.isOff(this.beginOf(node));
    if (isOff) this.offs++;
    const inside = isFunction(node) ? this.begin(node) : scope;
    if (node.type === "WithStatement") {
      this.withs++;
      scope?.leaveAlone();
    }
    if (scope !== undefined) this.open(node, key, scope);
    this.parents.push(node);
    eachChild(node, (child, childKey) => {
      // What stands in a function's parameters runs before its body.
      this.visit(child, childKey, childKey === "body" || inside === scope ? inside : undefined);
    });
    this.parents.pop();
    if (scope !== undefined) this.close(node, key, scope);
    if (inside !== scope && inside !== undefined) this.end(inside);
    if (node.type === "WithStatement") this.withs--;
    if (isOff) this.offs--;
  }

  private before(scope: Scope, at: number, text: string | (() => string)): void {
    this.insertions.before(at, text, scope.isOn);
  }

  private after(scope: Scope, at: number, text: string | (() => string)): void {
    this.insertions.after(at, text, scope.isOn);
  }

  /** Undefined for a function that isn't async. */
  private begin(node: Node): Scope | undefined {
    if (!node.async) return undefined;
    const name = functionName(node, this.parents);
    const scope = new Scope(node, this.beginOf(node), name, this.offs > 0 || this.withs > 0);
    const body = node.body as Node;
    const prologue = () => scope.prologue(this.source.place(scope.name, scope.sites));
    if (body.type === "BlockStatement") {
      this.before(scope, afterDirectives(body), () => `${prologue()}try{`);
    } else {
      this.before(scope, body.start, () => `{${prologue()}try{return `);
      this.openReturned(body, scope);
    }
    return scope;
  }

  private end(scope: Scope): void {
    const body = scope.node.body as Node;
    const end = `}finally{${scope.use("exit")}()}`;
    if (body.type === "BlockStatement") this.after(scope, body.end - 1, end);
    else {
      this.closeReturned(body, scope);
      this.after(scope, body.end, `${end}}`);
    }
  }

  private open(node: Node, key: string | undefined, scope: Scope): void {
    switch (node.type) {
      case "AwaitExpression": {
        this.before(scope, node.start, `${scope.use("back")}${UNNAMED}(`);
        const at = scope.use(isOneCall(node.argument) ? "at" : "any");
        this.before(scope, node.argument.start, `${at}(${scope.site(node.start)},`);
        return;
      }
      case "YieldExpression":
        // That of a generator which isn't async is in no scope.
        this.openYield(node, scope);
        return;
      case "ReturnStatement":
        if (node.argument) this.openReturned(node.argument, scope);
        return;
      case "ForOfStatement":
        if (declaresAwaitUsing(node.left)) scope.leaveAlone();
        else if (node.await) this.openLoop(node, scope);
        return;
      case "ForStatement":
        // It is disposed of where nothing can be put.
        if (declaresAwaitUsing(node.init)) scope.leaveAlone();
        return;
      case "LabeledStatement":
        if (this.isOutermost(node) && isAsyncLoop(node)) this.before(scope, node.start, "try{");
        return;
      case "CatchClause":
        this.before(scope, node.body.start + 1, `${scope.use("on")}();`);
        return;
      case "BlockStatement":
        if (key === "finalizer") this.before(scope, node.start + 1, `${scope.use("on")}();`);
        if (isDisposing(node, scope)) this.before(scope, node.start + 1, "try{");
        return;
      default:
    }
  }

  private close(node: Node, key: string | undefined, scope: Scope): void {
    switch (node.type) {
      case "AwaitExpression":
        this.after(scope, node.end, "))");
        return;
      case "YieldExpression":
        this.closeYield(node, scope);
        return;
      case "ReturnStatement":
        if (node.argument) this.closeReturned(node.argument, scope);
        return;
      case "ForOfStatement":
        if (node.await && !declaresAwaitUsing(node.left)) this.closeLoop(node, scope);
        return;
      case "LabeledStatement":
        if (this.isOutermost(node) && isAsyncLoop(node)) this.after(scope, node.end, resumed(scope));
        return;
      case "VariableDeclaration":
        if (node.kind === "await using" && key === "body") {
          const until = `${scope.use("until")}(${scope.site(node.start)})`;
          this.after(scope, node.end, `;using __qsd${this.disposals++}=${until};`);
        }
        return;
      case "BlockStatement":
        if (isDisposing(node, scope)) this.after(scope, node.end - 1, resumed(scope));
        return;
      default:
    }
  }

  /** `return x` of an async generator awaits it. */
  private openReturned(value: Node, scope: Scope): void {
    if (!scope.isGenerator && !mayBePromise(value)) return;
    const isList = value.type === "SequenceExpression";
    const method = scope.use(scope.isGenerator ? "at" : "tail");
    const last = isList ? (value.expressions as readonly Node[]).at(-1)! : value;
    this.before(scope, value.start, `${method}(${scope.site(last.start)},${isList ? "(" : ""}`);
  }

  private closeReturned(value: Node, scope: Scope): void {
    if (!scope.isGenerator && !mayBePromise(value)) return;
    this.after(scope, value.end, value.type === "SequenceExpression" ? "))" : ")");
  }

  private openYield(node: Node, scope: Scope): void {
    this.before(scope, node.start, `${scope.use("in")}${UNNAMED}(`);
    const site = scope.site(node.start);
    if (!node.argument) return;
    const begin = `${scope.use("out")}(${site},`;
    const over = node.delegate ? `${scope.use("over")}(` : "";
    this.before(scope, node.argument.start, `${begin}${over}`);
  }

  private closeYield(node: Node, scope: Scope): void {
    const site = scope.sites.indexOf(node.start);
    if (!node.argument) this.after(scope, node.end, ` ${scope.use("out")}(${site}))`);
    else this.after(scope, node.end, node.delegate ? ")))" : "))");
  }

  /** `for await` waits for its iterator, and at its end, however it ends, for that to close. */
  private openLoop(node: Node, scope: Scope): void {
    if (!this.isLabelled()) this.before(scope, node.start, "try{");
    const each = `${scope.use("each")}(${scope.site(node.start)},${complaint(node.right)},`;
    this.before(scope, node.right.start, each);
    const body = node.body as Node;
    const on = `${scope.use("on")}();`;
    if (body.type === "BlockStatement") this.before(scope, body.start + 1, on);
    else this.before(scope, body.start, `{${on}`);
  }

  private closeLoop(node: Node, scope: Scope): void {
    // What ends at one place is closed from the inside out, and these end earlier.
    this.after(scope, node.right.end, ")");
    if (node.body.type !== "BlockStatement") this.after(scope, node.body.end, "}");
    if (!this.isLabelled()) this.after(scope, node.end, resumed(scope));
  }

  /** A method begins before its parameters. */
  private beginOf(node: Node): number {
    const parent = this.parents.at(-1);
    const isMethod = parent?.type === "MethodDefinition" || (parent?.type === "Property" && parent.method);
    return isMethod ? parent.start : node.start;
  }

  private isLabelled(): boolean {
    return this.parents.at(-1)?.type === "LabeledStatement";
  }

  private isOutermost(label: Node): boolean {
    return label.type === "LabeledStatement" && !this.isLabelled();
  }
}

function resumed(scope: Scope): string {
  return `}finally{${scope.use("on")}()}`;
}

function isAsyncLoop(label: Node): boolean {
  let node = label;
  while (node.type === "LabeledStatement") node = node.body as Node;
  return node.type === "ForOfStatement" && node.await === true && !declaresAwaitUsing(node.left as Node);
}

function declaresAwaitUsing(node: Node | null): boolean {
  return node?.type === "VariableDeclaration" && node.kind === "await using";
}

/** The body of the function itself ends with the frame. */
function isDisposing(block: Node, scope: Scope): boolean {
  return block !== scope.node.body && (block.body as readonly Node[]).some(declaresAwaitUsing);
}

/** What V8 says of a value that can't be iterated, as text in code. */
function complaint(node: Node): string {
  const words = calledBy(node);
  const isCall = words?.endsWith("(...)") === true;
  return JSON.stringify(
    `${words ?? "(intermediate value)"} is not ${isCall ? "a function or its return value is not " : ""}async iterable`,
  );
}

/** Undefined for what V8 has no short words for. */
function calledBy(node: Node): string | undefined {
  switch (node.type) {
    case "Identifier":
      return node.name as string;
    case "ThisExpression":
      return "this";
    case "MemberExpression": {
      const owner = calledBy(node.object);
      return owner === undefined || node.computed || node.property.type !== "Identifier"
        ? undefined
        : `${owner}.${node.property.name}`;
    }
    case "CallExpression": {
      const callee = calledBy(node.callee);
      return callee === undefined ? undefined : `${callee}(...)`;
    }
    default:
      return undefined;
  }
}

/** Whether that is all it does: call one function, with values that are there. */
function isOneCall(node: Node): boolean {
  const call = inner(node);
  return call.type === "CallExpression" && !calls(call, call);
}

function calls(node: Node, without: Node): boolean {
  if (node !== without && /^(?:Call|New|TaggedTemplate|Import|Await|Yield)Expression$/.test(node.type))
    return true;
  if (isFunction(node) || node.type.startsWith("Class")) return true;
  let found = false;
  eachChild(node, (child) => {
    found ||= calls(child, without);
  });
  return found;
}

function mayBePromise(value: Node): boolean {
  return !NO_PROMISE.has(inner(value).type);
}

function afterDirectives(body: Node): number {
  let at = body.start + 1;
  for (const statement of body.body as readonly Node[]) {
    if (statement.directive === undefined) break;
    at = statement.end;
  }
  return at;
}
