import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { attempt } from "./attempt.js";

/** A socket that listens. */
export interface Listening {
  readonly host: string;
  readonly port: number;
  readonly inode: string;
}

const LISTENING = "0A";
const ESTABLISHED = "01";

/** All sockets in the process's network that listen. Undefined where the system doesn't tell. */
export function listeningNear(pid: number): Listening[] | undefined {
  return rows(pid)?.flatMap(({ host, port, state, inode }) =>
    state === LISTENING ? [{ host, port, inode }] : [],
  );
}

/** Those of them that are the process's own. */
export function listeningOf(pid: number): Listening[] | undefined {
  const inodes = inodesOf(pid);
  return inodes && listeningNear(pid)?.filter(({ inode }) => inodes.has(inode));
}

/** How many connections there are to a port of the process. */
export function connectionsTo(pid: number, toPort: number): number | undefined {
  const inodes = inodesOf(pid);
  return (
    inodes &&
    rows(pid)?.filter(
      ({ port, state, inode }) => port === toPort && state === ESTABLISHED && inodes.has(inode),
    ).length
  );
}

/** The process that has a socket, where one can see it. */
export function ownerOf(inode: string): number | undefined {
  for (const name of attempt(() => readdirSync("/proc")) ?? []) {
    if (/^\d+$/.test(name) && inodesOf(Number(name))?.has(inode)) return Number(name);
  }
  return undefined;
}

function inodesOf(pid: number): Set<string> | undefined {
  const folder = `/proc/${pid}/fd`;
  const links = attempt(() => readdirSync(folder))?.map((name) =>
    attempt(() => readlinkSync(`${folder}/${name}`)),
  );
  return links && new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link ?? "")?.[1] ?? []));
}

function rows(pid: number) {
  const read = (file: string) => attempt(() => readFileSync(`/proc/${pid}/net/${file}`, "utf8"));
  const four = read("tcp");
  if (four === undefined) return undefined;
  return [...four.split("\n").slice(1), ...(read("tcp6")?.split("\n").slice(1) ?? [])].flatMap((line) => {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    if (inode === undefined) return [];
    const [address, port] = local!.split(":");
    return [{ host: hostOf(address!), port: Number.parseInt(port!, 16), state: state!, inode }];
  });
}

/** An address as the kernel writes it: words of four bytes, each with its lowest byte first. */
function hostOf(hex: string): string {
  const bytes = hex.match(/.{8}/g)!.flatMap((word) => word.match(/../g)!.reverse());
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join(".");
  return bytes.join("").match(/.{4}/g)!.join(":");
}
