import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 50;
/** A build takes seconds. A lock that is older than this was left by a process whose ID another one has by now. */
const MAX_AGE_MS = 10 * 60_000;

/**
 * Runs `work` while no other process has the lock; waits for as long as one has. A lock whose owner is gone is taken over. Two
 * processes that take one over at the same instant would both build: that takes time, and harms nothing.
 */
export async function withLock(file, work) {
  while (!acquire(file)) {
    if (isLeft(file)) rmSync(file, { force: true });
    else await sleep(POLL_MS);
  }
  // `finally` isn't reached by a process that is told to end.
  const release = () => rmSync(file, { force: true });
  const stop = (signal) => {
    release();
    process.kill(process.pid, signal);
  };
  const signals = ["SIGINT", "SIGTERM"];
  for (const signal of signals) process.once(signal, stop);
  process.once("exit", release);
  try {
    return await work();
  } finally {
    for (const signal of signals) process.off(signal, stop);
    process.off("exit", release);
    release();
  }
}

function acquire(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

function isLeft(file) {
  try {
    if (Date.now() - statSync(file).mtimeMs > MAX_AGE_MS) return true;
    const pid = Number(readFileSync(file, "utf8"));
    // Empty: its owner is about to write it.
    if (pid === 0) return false;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    // ESRCH: there is no such process. ENOENT: the lock has gone meanwhile.
    return error.code === "ESRCH";
  }
}
