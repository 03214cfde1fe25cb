import { RUNTIME } from "../../waits/frame-list.js";
import { eachChild, isFunction, type Node } from "./parse.js";

/** What the frame is called in code: code that has this name already is left alone. */
export const FRAME = "__qsf";

/** What each method of a frame does where there is no runtime: what it is given passes through. */
const PASSING: Record<Method, string> = {
  at: "at:(s,v)=>v",
  any: "any:(s,v)=>v",
  back: "back:v=>v",
  out: "out:(s,v)=>v",
  in: "in:v=>v",
  on: "on(){}",
  tail: "tail:(s,v)=>v",
  each: "each:(s,c,v)=>v",
  over: "over:v=>v",
  until: "until:()=>null",
  exit: "exit(){}",
};
export type Method =
  | "at"
  | "any"
  | "back"
  | "out"
  | "in"
  | "on"
  | "tail"
  | "each"
  | "over"
  | "until"
  | "exit";

/** A function whose frame is to be known. */
export class Scope {
  /** Offsets of the places where it may wait, after its own. */
  readonly sites: number[];
  private readonly methods = new Set<Method>(["exit"]);
  /** Whether it waits anywhere. */
  private waits = false;
  private isLeftAlone = false;

  constructor(
    readonly node: Node,
    begin: number,
    readonly name: string | undefined,
    isOff: boolean,
  ) {
    this.sites = [begin];
    this.isLeftAlone = isOff || (node.body.type === "BlockStatement" && isBoundToBody(node.body));
  }

  readonly isOn = (): boolean => this.waits && !this.isLeftAlone;

  get isGenerator(): boolean {
    return this.node.generator as boolean;
  }

  leaveAlone(): void {
    this.isLeftAlone = true;
  }

  /** The number of a place where it may wait. */
  site(offset: number): number {
    this.waits = true;
    return this.sites.push(offset) - 1;
  }

  /** `__qsf.at` */
  use(method: Method): string {
    this.methods.add(method);
    return `${FRAME}.${method}`;
  }

  /**
   * What the function begins with. It has all that it takes, because its text may be sent elsewhere, where there is no runtime: to the page of a browser, to
   * another realm, or into a thread.
   */
  prologue(place: string): string {
    const passing = [...this.methods].map((method) => PASSING[method]).join(",");
    const text = JSON.stringify(place).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
    return `const ${FRAME}=typeof ${RUNTIME}=="object"?${RUNTIME}.enter(${text}):{${passing}};`;
  }
}

/**
 * Whether functions that are declared in the body must stay right there: in a block, which the body becomes part of, two of one name are an error, and
 * one with the name of a `var`.
 */
function isBoundToBody(body: Node): boolean {
  const names: string[] = [];
  for (const statement of body.body as readonly Node[]) {
    let declared = statement;
    while (declared.type === "LabeledStatement") declared = declared.body as Node;
    if (declared.type === "FunctionDeclaration") names.push(declared.id.name as string);
  }
  if (names.length === 0) return false;
  if (new Set(names).size < names.length) return true;
  const variables = new Set<string>();
  const visit = (node: Node): void => {
    if (isFunction(node) || node.type === "StaticBlock") return;
    if (node.type === "VariableDeclaration" && node.kind === "var") {
      for (const { id } of node.declarations as readonly Node[]) namesIn(id, variables);
    }
    eachChild(node, visit);
  };
  eachChild(body, visit);
  return names.some((name) => variables.has(name));
}

/** The names that a pattern binds, and a few more, which do no harm. */
function namesIn(pattern: Node, names: Set<string>): void {
  if (pattern.type === "Identifier") names.add(pattern.name as string);
  else eachChild(pattern, (child) => namesIn(child, names));
}
