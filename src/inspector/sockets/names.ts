import type { ProcessInfo } from "../protocol.js";

const SUFFIX = ".sock";
const NAME = /^(\d+(?:\.\d+)?-[a-z\d]+)-([\w.-]*)\.sock$/;

/** `ID-NAME.sock`: which process it is, when it began, and what it is called, as far as that fits in so many bytes. */
export function socketName({ id, name }: Pick<ProcessInfo, "id" | "name">, most: number): string {
  const room = most - id.length - 1 - SUFFIX.length;
  return `${id}-${name.replaceAll(/[^\w.-]+/g, "_").slice(0, Math.max(0, room))}${SUFFIX}`;
}

/** The ID of the process whose socket is called so; undefined where it is none of ours. */
export function idInName(name: string): string | undefined {
  return NAME.exec(name)?.[1];
}
