/**
 * Are the rules tested? Changes them in one place at a time, and runs their tests: a mutant that passes them all has survived.
 *
 *     npm run test:rules:mutation                      all of them
 *     npm run test:rules:mutation -- --sample 100      so many of those that have no reason to survive, drawn by --seed (1)
 *     npm run test:rules:mutation -- --rule QueueStuck only rules that are called so
 *
 * Known survivors stand in survivors.yml, each with the reason; those that are equivalent aren't counted. Exits with 1 if there is another one, or, of all
 * mutants, fewer than 95 % were killed.
 */
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parse } from "yaml";
import { type Mutant, mutantsOfRules, type RuleFile } from "./mutants-of-rules.js";

const RULES = join(import.meta.dirname, "..");
const LEAST_KILLED = 0.95;
const AT_ONCE = Math.min(2, availableParallelism());

type Fate = "killed" | "survived" | "invalid";
interface Candidate extends Mutant {
  readonly path: string;
}
interface Test {
  readonly name: string;
  readonly text: string;
  /** The rules that it is about, by their files. */
  readonly files: readonly string[];
  /** Milliseconds. */
  readonly took: number;
}
interface Accepted {
  /** Absent: any rule. */
  readonly rule?: string;
  /** Where the rule stands, if another file has one that is called so. */
  readonly file?: string;
  /** In full; or, between slashes, a pattern: some mutants of a kind may survive, others are killed. */
  readonly what: string;
  readonly reason: string;
}

const { values: options } = parseArgs({
  options: { sample: { type: "string" }, seed: { type: "string", default: "1" }, rule: { type: "string" } },
});

const accepted: Accepted[] = parse(readFileSync(join(import.meta.dirname, "survivors.yml"), "utf8"));
// A sample is drawn right after the tests themselves were run.
const tests = await readTests(options.sample === undefined);
const all = readdirSync(RULES)
  .filter((name) => name.endsWith(".yml"))
  .flatMap((path) =>
    mutantsOfRules(parse(readFileSync(join(RULES, path), "utf8")) as RuleFile).map((mutant) => ({
      ...mutant,
      path,
    })),
  )
  .filter(({ rule }) => options.rule === undefined || rule.startsWith(options.rule));
// Of a sample it is asked whether there is a new survivor: those that may survive would take longest, as each passes all tests.
const chosen =
  options.sample === undefined
    ? all
    : drawn(
        all.filter((mutant) => reasonOf(mutant) === undefined),
        Number(options.sample),
        Number(options.seed),
      );

/** Shared by all who work: each takes the next one. */
const waiting = chosen.values();
const folder = mkdtempSync(join(tmpdir(), "rules-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
const fates = await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => work(join(folder, String(i)))));
report(new Map(fates.flat()));

/** Tries mutants, in a copy of its own, as long as there are any left. */
async function work(copy: string): Promise<[Candidate, Fate][]> {
  cpSync(RULES, copy, { recursive: true });
  const results: [Candidate, Fate][] = [];
  for (const mutant of waiting) {
    // JSON is YAML, too.
    writeFileSync(join(copy, mutant.path), JSON.stringify(mutant.file));
    results.push([mutant, await fateOf(mutant, copy)]);
    cpSync(join(RULES, mutant.path), join(copy, mutant.path));
  }
  return results;
}

async function fateOf({ rule, path }: Candidate, copy: string): Promise<Fate> {
  const name = rule.split(" ")[0]!;
  const isAbout = ({ text }: Test) => (text.includes(name) ? 0 : 1);
  const own = tests
    .filter(({ files }) => files.includes(path))
    // Those first that are about this rule; of two of them the faster one.
    .sort((a, b) => isAbout(a) - isAbout(b) || a.took - b.took);
  for (const test of own) {
    const output = await promtool(join(copy, "test", test.name));
    if (output === undefined) continue;
    return /could not parse expression|unmarshal/.test(output) ? "invalid" : "killed";
  }
  return "survived";
}

/** What promtool complains of; undefined if the tests pass. */
function promtool(test: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    // Garbage needn't be collected often in a process that lives for a second.
    const env = { ...process.env, GOGC: "400" };
    execFile("promtool", ["test", "rules", test], { env }, (error, stdout, stderr) => {
      if (error === null) resolve(undefined);
      else if (error.code === 1) resolve(stdout + stderr);
      else reject(error);
    });
  });
}

/** All tests, and how long each takes: by its length, or as seen, for which it has to pass as long as nothing is changed. */
async function readTests(areRun: boolean): Promise<Test[]> {
  const read: Test[] = [];
  for (const name of readdirSync(import.meta.dirname).filter((name) => name.endsWith(".test.yml"))) {
    const path = join(import.meta.dirname, name);
    const text = readFileSync(path, "utf8");
    const { rule_files } = parse(text) as { rule_files: string[] };
    const beganAt = performance.now();
    const complaint = areRun ? await promtool(path) : undefined;
    if (complaint !== undefined) throw new Error(complaint);
    const files = rule_files.map((file) => file.replace("../", ""));
    read.push({ name, text, files, took: areRun ? performance.now() - beganAt : text.length });
  }
  return read;
}

/** So many of them, the same ones for the same seed. */
function drawn(from: readonly Candidate[], count: number, seed: number): Candidate[] {
  let state = seed;
  // A multiplicative generator: it only has to be spread and repeatable.
  const next = () => (state = (state * 48_271 + 11) % 2_147_483_647);
  return from
    .map((mutant) => ({ mutant, key: next() }))
    .sort((a, b) => a.key - b.key)
    .slice(0, count)
    .map(({ mutant }) => mutant);
}

function report(fates: ReadonlyMap<Candidate, Fate>): void {
  const of = (fate: Fate) => [...fates].filter(([, each]) => each === fate).map(([mutant]) => mutant);
  const survivors = of("survived");
  for (const mutant of survivors) {
    console.log(`survived: ${mutant.rule}: ${mutant.what}\n          ${reasonOf(mutant) ?? "NOT ACCEPTED"}`);
  }
  const stale = accepted
    .filter(({ what }) => !what.startsWith("/"))
    .filter((each) => [...of("killed"), ...of("invalid")].some((mutant) => isOf(each, mutant)));
  for (const { rule, what } of stale) console.log(`accepted, and yet killed: ${rule}: ${what}`);
  const open = survivors.filter((mutant) => reasonOf(mutant) === undefined);
  const killed = of("killed").length;
  // What behaves the same can't be told apart by any test.
  const different = survivors.filter((mutant) => !reasonOf(mutant)?.startsWith("Equivalent"));
  const score = killed / (killed + different.length);
  console.log(
    `${killed} of ${killed + different.length} mutants killed (${(100 * score).toFixed(1)} %), not counting ` +
      `${survivors.length - different.length} that are equivalent; ${different.length} survived, ${open.length} of ` +
      `them without a reason; ${of("invalid").length} were no rules`,
  );
  // A few that are drawn say little about the share.
  if (open.length > 0 || (options.sample === undefined && !(score >= LEAST_KILLED))) process.exitCode = 1;
}

function reasonOf(mutant: Candidate): string | undefined {
  return accepted.find((each) => isOf(each, mutant))?.reason;
}

function isOf(each: Accepted, { rule, what, path }: Candidate): boolean {
  return (each.rule ?? rule) === rule && isSaidBy(each.what, what) && (each.file ?? path) === path;
}

function isSaidBy(accepted: string, what: string): boolean {
  const pattern = /^\/(.*)\/$/.exec(accepted)?.[1];
  return pattern === undefined ? accepted === what : new RegExp(pattern).test(what);
}
