import { Session } from "node:inspector/promises";
import { SourceMap } from "node:module";
import { fileURLToPath } from "node:url";

const SRC = new URL("../../src/", import.meta.url).href;

/** A function of the library that was called. */
export interface Called {
  /** Relative to `src`. */
  readonly file: string;
  /** One that has no name is called after its line. */
  readonly name: string;
  readonly calls: number;
  /** Where it begins, as V8 counts: lines and columns from 0, of what tsx made of the source. */
  readonly url: string;
  readonly line: number;
  readonly column: number;
}

/** Counts the calls of each function of the library's sources, exactly: V8 inlines nothing meanwhile. */
export class Coverage {
  private readonly session = new Session();
  private readonly sourceMaps = new Map<string, string | undefined>();

  async start(): Promise<void> {
    this.session.connect();
    this.session.on("Debugger.scriptParsed", ({ params }) => {
      this.sourceMaps.set(params.scriptId, params.sourceMapURL);
    });
    await this.session.post("Debugger.enable");
    await this.session.post("Profiler.enable");
    await this.session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** What was called since the last time. */
  async take(): Promise<Called[]> {
    const { result } = await this.session.post("Profiler.takePreciseCoverage");
    const called: Called[] = [];
    for (const { scriptId, url, functions } of result) {
      // What stands outside of functions has run when the module was loaded; by `__name` tsx lets functions keep their names.
      const found = functions.filter(
        ({ functionName, ranges: [range] }) =>
          range!.count > 0 && range!.startOffset > 0 && functionName !== "__name",
      );
      if (found.length === 0 || !url.startsWith(SRC)) continue;
      const { scriptSource } = await this.session.post("Debugger.getScriptSource", { scriptId });
      const map = sourceMap(this.sourceMaps.get(scriptId));
      const file = fileURLToPath(url).slice(fileURLToPath(SRC).length);
      for (const { functionName, ranges } of found) {
        const { count: calls, startOffset } = ranges[0]!;
        const before = scriptSource.slice(0, startOffset).split("\n");
        const line = before.length - 1;
        const column = before[line]!.length;
        const name = functionName || `line ${lineInSource(map, line, column)}`;
        called.push({ file, name, calls, url, line, column });
      }
    }
    return called;
  }

  stop(): void {
    this.session.disconnect();
  }
}

function sourceMap(url = ""): SourceMap | undefined {
  const [, data] = /^data:application\/json;base64,(.*)$/.exec(url) ?? [];
  return data === undefined ? undefined : new SourceMap(JSON.parse(String(Buffer.from(data, "base64"))));
}

function lineInSource(map: SourceMap | undefined, line: number, column: number): number {
  const entry = map?.findEntry(line, column);
  return entry !== undefined && "originalLine" in entry ? entry.originalLine + 1 : line + 1;
}
