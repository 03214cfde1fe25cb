import { spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, readlinkSync, readSync } from "node:fs";
import { basename } from "node:path";
import { attempt } from "./attempt.js";

/** SIGUSR1, as a bit of a mask: the same number on Linux everywhere but on MIPS and Alpha, for which there is no Node. */
const SIGUSR1 = 1n << 9n;
/** A name that is in every program that Node's inspector is linked into. */
const MARK = Buffer.from("N4node9inspector");

/** What the system says of a process. What is undefined is not known on this system. */
export interface ProcessFacts {
  /** The name of its program: `node`. */
  readonly program: string;
  readonly commandLine: readonly string[];
  /** One letter, as `ps` has it: `Z` for a process that has ended and that its parent has not heard of, `T` for a stopped one. */
  readonly state: string;
  /** Whether it does something of its own when SIGUSR1 comes; else that ends it. */
  readonly handlesSigusr1: boolean | undefined;
  readonly ignoresSigusr1: boolean | undefined;
  /** `NODE_OPTIONS` of its environment, as it was when it began. */
  readonly nodeOptions: string | undefined;
  /** Whether its loopback addresses are those of this process. */
  readonly sharesNetwork: boolean | undefined;
  /** Its ID in its own container, where that is another one. */
  readonly pidInside: number | undefined;
  /** The name of its user, or the number. */
  readonly user: string | undefined;
}

/** Undefined where there is no such process. */
export function processFacts(pid: number): ProcessFacts | undefined {
  return process.platform === "linux" ? linuxFacts(pid) : factsByPs(pid);
}

function linuxFacts(pid: number): ProcessFacts | undefined {
  const folder = `/proc/${pid}`;
  const status = attempt(() => readFileSync(`${folder}/status`, "utf8"));
  if (status === undefined) return undefined;
  const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, "m").exec(status)?.[1];
  // A thread's ID is answered for, too.
  if (field("Tgid") !== String(pid)) return undefined;
  const mask = (name: string) => {
    const hex = field(name);
    return hex === undefined ? undefined : (BigInt(`0x${hex}`) & SIGUSR1) !== 0n;
  };
  const path = attempt(() => readlinkSync(`${folder}/exe`).replace(/ \(deleted\)$/, ""));
  const commandLine =
    attempt(() => readFileSync(`${folder}/cmdline`, "utf8"))
      ?.split("\0")
      .slice(0, -1) ?? [];
  const environment = attempt(() => readFileSync(`${folder}/environ`, "utf8"))?.split("\0");
  const network = attempt(() => readlinkSync(`${folder}/ns/net`));
  const inside = Number(field("NSpid")?.split(/\s+/).at(-1));
  return {
    program: basename(path ?? commandLine[0] ?? field("Name") ?? ""),
    commandLine,
    state: field("State")?.[0] ?? "",
    handlesSigusr1: mask("SigCgt"),
    ignoresSigusr1: mask("SigIgn"),
    nodeOptions: environment?.find((each) => each.startsWith("NODE_OPTIONS="))?.slice("NODE_OPTIONS=".length),
    sharesNetwork:
      network === undefined ? undefined : network === attempt(() => readlinkSync("/proc/self/ns/net")),
    pidInside: Number.isNaN(inside) || inside === pid ? undefined : inside,
    user: field("Uid")?.split(/\s+/)[0],
  };
}

function factsByPs(pid: number): ProcessFacts | undefined {
  const ask = (what: string) => {
    const { status, stdout } = spawnSync("ps", ["-ww", "-o", `${what}=`, "-p", String(pid)], {
      encoding: "utf8",
    });
    return status === 0 ? stdout.trim() : undefined;
  };
  const state = ask("stat");
  // Windows has no `ps`: there the inspector is opened in another way, which harms no other program.
  if (state === undefined && process.platform !== "win32") return undefined;
  const path = ask("comm") ?? "node";
  return {
    program: basename(path),
    commandLine: ask("args")?.split(" ") ?? [],
    state: state?.[0] ?? "",
    handlesSigusr1: undefined,
    ignoresSigusr1: undefined,
    nodeOptions: undefined,
    sharesNetwork: undefined,
    pidInside: undefined,
    user: ask("user"),
  };
}

/** Whether the program of the process is Node, or has it in it: Electron, an app in one file. */
export function isNode(pid: number, { program }: ProcessFacts): boolean {
  if (/^(node|nodejs|iojs|electron)([-.\d]|$)/i.test(program)) return true;
  if (/^(bun|deno)([-.\d]|$)/i.test(program) || process.platform !== "linux") return false;
  return attempt(() => hasMark(`/proc/${pid}/exe`)) ?? false;
}

function hasMark(file: string): boolean {
  const buffer = Buffer.alloc(1 << 20);
  const descriptor = openSync(file, "r");
  try {
    // What is cut in two at the end of a piece is whole in the next one.
    for (let kept = 0; ; ) {
      const read = readSync(descriptor, buffer, kept, buffer.length - kept, null);
      if (read === 0) return false;
      const size = kept + read;
      if (buffer.subarray(0, size).includes(MARK)) return true;
      kept = Math.min(MARK.length, size);
      buffer.copyWithin(0, size - kept, size);
    }
  } finally {
    closeSync(descriptor);
  }
}
