import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/commands.js";
import { dispatch } from "../../src/cli/dispatch.js";

async function run(...args: string[]) {
  const printed: string[] = [];
  const noted: string[] = [];
  const code = await dispatch(args, {
    print: (text) => printed.push(text),
    note: (text) => noted.push(text),
  });
  return { code, out: printed.join("\n"), err: noted.join("\n") };
}

describe("the command queuescope", () => {
  it("lists its subcommands", async () => {
    const { code, out, err } = await run("--help");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    for (const name of Object.keys(COMMANDS)) expect(out).toMatch(new RegExp(`^  ${name} `, "m"));
  });

  it("without a subcommand says on stderr what there is", async () => {
    const { code, out, err } = await run();
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("Usage: queuescope COMMAND");
  });

  it.each(["--version", "-v"])("prints the version of the package for %s", async (option) => {
    const { version } = JSON.parse(readFileSync("package.json", "utf8"));
    expect(await run(option)).toEqual({ code: 0, out: version, err: "" });
  });

  it.each(["trees", "constructor", "__proto__", ""])("names an unknown command, %j", async (name) => {
    const { code, err } = await run(name);
    expect(code).toBe(2);
    expect(err).toContain(`unknown command "${name}"`);
    expect(err).toContain("tree");
  });

  it("names an unknown option in the place of a command", async () => {
    expect((await run("--json")).err).toContain('unknown option "--json"');
  });

  it("shows what it was given without control characters", async () => {
    expect((await run("a\u001b[2Jb")).err).toContain('unknown command "a\\u001b[2Jb"');
  });
});

describe.each(Object.keys(COMMANDS))("queuescope %s", (name) => {
  it.each([
    [name, "--help"],
    [name, "-h"],
    ["help", name],
  ])("prints its help for %s %s", async (...args) => {
    const { code, out, err } = await run(...args);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain(`queuescope ${name}`);
  });

  it("refuses an unknown option, names it, and says where to look", async () => {
    const { code, out, err } = await run(name, "--no-such-option");
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("--no-such-option");
    expect(err).toContain(`queuescope ${name} --help`);
  });

  it("refuses arguments that it doesn't take", async () => {
    const { code, err } = await run(name, ...Array.from({ length: 20 }, (_, i) => `argument-${i}`));
    expect(code).toBe(2);
    expect(err).toMatch(/unexpected argument "argument-\d+"/);
  });
});

describe("queuescope tree", () => {
  it.each([
    ["without a process", [], /which process/],
    ["with a name", ["shop"], /"shop" is no PID/],
    ["with 0, which would mean a group of processes", ["0"], /"0" is no PID/],
    ["with a fraction", ["1.5"], /"1.5" is no PID/],
    ["with too large a number", ["99999999999999999999"], /is no PID/],
  ])("refuses to run %s", async (_, args, message) => {
    const { code, out, err } = await run("tree", ...args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(message);
  });

  it("says that there is no such process", async () => {
    // Larger than any that Linux gives.
    const { code, err } = await run("tree", "2147483646");
    expect(code).toBe(3);
    expect(err).toContain("no process 2147483646");
  });
});
