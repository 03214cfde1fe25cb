import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type DevTools, RemoteDevTools } from "../../await-tree/devtools.js";
import { CommandError, EXIT } from "../command.js";
import { attempt } from "./attempt.js";
import { beganWithInspector, inspectorAt, inspectPort, type OpenInspector } from "./inspector.js";
import { isNode, type ProcessFacts, processFacts } from "./process-facts.js";
import { connectionsTo, type Listening, listeningNear, listeningOf, ownerOf } from "./sockets.js";
import { connectTo } from "./websocket.js";

/** How long a process may take to open its inspector, in milliseconds, and how often that is looked at. */
const OPENING_MS = 5_000;
const LOOK_MS = 20;
/** How long it may take to close it. */
const CLOSING_MS = 2_000;
/** Main that is at work, or waits for a processor, at such a share of the looks is held by something. */
const BUSY_SHARE = 0.7;

/** A session with the inspector of another process. */
export interface Attached {
  readonly devTools: DevTools;
  /** Whether the inspector was open already: then it stays so. */
  readonly wasOpen: boolean;
  /** How many others are connected to it; undefined where the system doesn't tell. */
  readonly others: number | undefined;
  /** Ends the session, and closes the inspector unless it was open. Can be called again. */
  release(): Promise<void>;
}

/** Throws a {@link CommandError} that says what to do where that is not possible. Nothing is sent to a process that it could harm. */
export async function attach(pid: number): Promise<Attached> {
  const facts = reachable(pid);
  const before = await openBefore(pid, facts);
  const inspector = before ?? (await open(pid, facts));
  let remote: RemoteDevTools;
  let closed = () => {};
  const isClosed = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const connection = await connectTo(inspector.url, {
    message: (text) => remote.hear(text),
    closed: () => {
      remote.closed();
      closed();
    },
  }).catch((error: Error) => {
    throw new CommandError(
      `the inspector of process ${pid} takes no session: ${error.message}`,
      EXIT.unreachable,
    );
  });
  remote = new RemoteDevTools((text) => connection.send(text));
  let releasing: Promise<void> | undefined;
  const release = async () => {
    if (before === undefined) {
      // Closing ends all sessions, so there may be no answer.
      remote.post("Runtime.evaluate", { expression: "process._debugEnd()", silent: true }).catch(() => {});
      await Promise.race([isClosed, sleep(CLOSING_MS, undefined, { ref: false })]);
    }
    connection.close();
  };
  return {
    devTools: remote,
    wasOpen: before !== undefined,
    others: before?.others,
    release: () => (releasing ??= release()),
  };
}

/** What the system says of a process that may be asked. */
function reachable(pid: number): ProcessFacts {
  try {
    process.kill(pid, 0);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EPERM") {
      const user = attempt(() => processFacts(pid)?.user);
      throw new CommandError(
        `process ${pid} belongs to another user${user === undefined ? "" : ` (${user})`}: run this as that user, or as root`,
        EXIT.notAllowed,
      );
    }
    throw noProcess(pid);
  }
  const facts = processFacts(pid);
  if (facts === undefined) throw noProcess(pid);
  const { state, program, handlesSigusr1, sharesNetwork, pidInside } = facts;
  if (state === "Z") {
    throw new CommandError(
      `process ${pid} has ended (a zombie, until its parent takes notice)`,
      EXIT.noProcess,
    );
  }
  if (pid === process.pid) throw new CommandError("that is the process of this command itself", EXIT.usage);
  const name = program === "" ? "" : ` (${program})`;
  if (!isNode(pid, facts)) {
    throw new CommandError(
      `process ${pid}${name} is no Node process. If it is a wrapper (npm, a shell, tini), give the PID of the node process below it`,
      EXIT.unreachable,
    );
  }
  if (state === "T" || state === "t") {
    throw new CommandError(
      `process ${pid}${name} is stopped${state === "t" ? " by a tracer" : ""}: \`kill -CONT ${pid}\` lets it go on`,
      EXIT.unreachable,
    );
  }
  if (sharesNetwork === false) {
    const inside = pidInside === undefined ? "PID" : String(pidInside);
    throw new CommandError(
      `process ${pid}${name} runs in a container with a network of its own: run this in there (docker exec CONTAINER npx queuescope tree ${inside})`,
      EXIT.unreachable,
    );
  }
  if (handlesSigusr1 === false && !beganWithInspector(facts)) {
    throw new CommandError(
      `process ${pid}${name} does not open its inspector on SIGUSR1 (--disable-sigusr1, or the permission model), so it was not sent. ` +
        "Start it with --inspect, or without that option",
      EXIT.notAllowed,
    );
  }
  return facts;
}

function noProcess(pid: number): CommandError {
  return new CommandError(
    `there is no process ${pid} here. In a container, give the PID that it has in there, and run this in there`,
    EXIT.noProcess,
  );
}

/** An inspector that is open already. */
async function openBefore(
  pid: number,
  facts: ProcessFacts,
): Promise<(OpenInspector & { readonly others: number | undefined }) | undefined> {
  const port = inspectPort(facts);
  const own = listeningOf(pid);
  if (own === undefined) {
    const inspector = await inspectorAt("127.0.0.1", port);
    if (inspector === undefined) return undefined;
    if ((await pidOf(inspector)) === pid) return { ...inspector, others: undefined };
    throw portTaken(pid, port, undefined);
  }
  // Other servers of the process are asked nothing as long as that isn't needed.
  const likely = own.filter((each) => each.port === port);
  for (const socket of beganWithInspector(facts) && likely.length === 0 ? own : likely) {
    // Before this one asks.
    const others = connectionsTo(pid, socket.port);
    const inspector = await firstAmong([socket]);
    if (inspector !== undefined) return { ...inspector, others };
  }
  return undefined;
}

/** Has the process open its inspector. */
async function open(pid: number, facts: ProcessFacts): Promise<OpenInspector> {
  const port = inspectPort(facts);
  const before = listeningOf(pid);
  const taken = port === 0 ? undefined : listeningNear(pid)?.find((each) => each.port === port);
  if (taken !== undefined) throw portTaken(pid, port, ownerOf(taken.inode));
  let looks = 0;
  let busy = 0;
  // On Windows, where there are no signals, in another way.
  (process as unknown as { _debugProcess(pid: number): void })._debugProcess(pid);
  const seen = new Set(before?.map(({ inode }) => inode));
  const began = performance.now();
  while (performance.now() - began < OPENING_MS) {
    await sleep(LOOK_MS);
    looks++;
    if (isAtWork(pid)) busy++;
    const inspector =
      before === undefined
        ? await inspectorAt("127.0.0.1", port)
        : await firstAmong(listeningOf(pid)?.filter(({ inode }) => !seen.has(inode)) ?? []);
    if (inspector !== undefined) return inspector;
    const now = processFacts(pid);
    if (now === undefined || now.state === "Z") {
      throw new CommandError(
        `process ${pid} ended when it got SIGUSR1, which opens the inspector: it must have a handler of its own that does so`,
        EXIT.noProcess,
      );
    }
  }
  const elsewhere = await firstAmong(before ?? []);
  if (elsewhere !== undefined) return elsewhere;
  throw notOpened(pid, busy / looks);
}

async function firstAmong(sockets: readonly Listening[]): Promise<OpenInspector | undefined> {
  for (const { host, port } of sockets) {
    const inspector = await inspectorAt(host, port);
    if (inspector !== undefined) return inspector;
  }
  return undefined;
}

/** Whose inspector it is, where the system doesn't tell. */
async function pidOf({ url }: OpenInspector): Promise<number | undefined> {
  let remote: RemoteDevTools;
  try {
    const connection = await connectTo(url, {
      message: (text) => remote.hear(text),
      closed: () => remote.closed(),
    });
    remote = new RemoteDevTools((text) => connection.send(text));
    const answer = remote.post("Runtime.evaluate", { expression: "process.pid", silent: true });
    const { result } = (await Promise.race([answer, sleep(CLOSING_MS, { result: {} })])) as {
      result: { value?: number };
    };
    connection.close();
    return result.value;
  } catch {
    return undefined;
  }
}

function portTaken(pid: number, port: number, owner: number | undefined): CommandError {
  const by = owner === undefined ? "another process" : `process ${owner}`;
  return new CommandError(
    `process ${pid} would open its inspector at port ${port}, which ${by} has: close that one, or start the process with ` +
      "NODE_OPTIONS=--inspect-port=0, which takes any port",
    EXIT.unreachable,
  );
}

function notOpened(pid: number, busyShare: number): CommandError {
  const within = `within ${OPENING_MS / 1_000} s`;
  if (busyShare > BUSY_SHARE) {
    return new CommandError(
      `process ${pid} did not answer ${within}, in which its main thread was at work: its event loop is blocked in native code, which can't be ` +
        "interrupted (a synchronous call of crypto, zlib, …). It opens its inspector when that is over; then run this again",
      EXIT.blocked,
    );
  }
  return new CommandError(
    `process ${pid} did not open its inspector ${within}: it handles SIGUSR1 itself, or waits in a synchronous call (execFileSync, ` +
      "Atomics.wait). Start it with --inspect",
    EXIT.unreachable,
  );
}

/** Whether the main thread runs, or could; false where the system doesn't tell. */
function isAtWork(pid: number): boolean {
  const text = attempt(() => readFileSync(`/proc/${pid}/task/${pid}/stat`, "utf8"));
  return text !== undefined && text[text.lastIndexOf(")") + 2] === "R";
}
