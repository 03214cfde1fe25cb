import { prometheusArguments } from "../../scripts/stack/arguments.js";
import { freePort } from "../../scripts/stack/ports.js";
import { type Lifetime, Server, temporaryFolder } from "./server.js";

export type Labels = Readonly<Record<string, string>>;

/** A time span, in seconds of unix time, and how far apart its points are. */
export interface Span {
  readonly from: number;
  readonly to: number;
  readonly stepSeconds: number;
}

/** Prometheus on loopback, with a folder of its own. */
export class Prometheus {
  private constructor(
    private readonly server: Server,
    readonly address: string,
  ) {}

  /** `configure` writes the configuration to the folder and returns its path; Prometheus will listen at the address. */
  static async start(
    lifetime: Lifetime,
    program: string,
    configure: (folder: string, address: string) => string,
    args: readonly string[] = [],
  ): Promise<Prometheus> {
    const folder = temporaryFolder(lifetime);
    const address = `127.0.0.1:${await freePort()}`;
    const server = new Server(lifetime, program, [
      ...prometheusArguments({ config: configure(folder, address), data: `${folder}/data`, address }),
      ...args,
    ]);
    const prometheus = new Prometheus(server, address);
    await server.until("Prometheus that is ready", () => isReady(address));
    return prometheus;
  }

  /** All that it has printed. */
  get output(): string {
    return this.server.output;
  }

  /** Asks until there is an answer, as long as Prometheus lives. */
  until<T>(what: string, ask: () => Promise<T | undefined>, patienceMs?: number): Promise<T> {
    return this.server.until(what, ask, patienceMs);
  }

  /** What an instant query finds now, without the values that are no finite numbers. */
  async query(promql: string): Promise<{ labels: Labels; value: number }[]> {
    const { result } = await this.ask<{ result: { metric: Labels; value: [number, string] }[] }>("query", {
      query: promql,
    });
    return result
      .map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }))
      .filter(({ value }) => Number.isFinite(value));
  }

  /** What a range query finds: the values of each series, `NaN` and infinities among them. */
  async range(promql: string, { from, to, stepSeconds }: Span): Promise<number[][]> {
    const found = await this.ask<{ resultType: string; result: { values: [number, string][] }[] }>(
      "query_range",
      {
        query: promql,
        start: `${from}`,
        end: `${to}`,
        step: `${stepSeconds}`,
      },
    );
    return found.result.map(({ values }) => values.map(([, value]) => Number(value)));
  }

  /** Those of the series that match, of the last hour. */
  async exemplars(selector: string): Promise<{ labels: Labels; value: number; timestamp: number }[]> {
    const now = Date.now() / 1_000;
    const found = await this.ask<{ exemplars: { labels: Labels; value: string; timestamp: number }[] }[]>(
      "query_exemplars",
      { query: selector, start: `${now - 3_600}`, end: `${now + 60}` },
    );
    return found.flatMap(({ exemplars }) =>
      exemplars.map(({ value, ...rest }) => ({ ...rest, value: Number(value) })),
    );
  }

  /** How many series there were that match. */
  async countSeries(selector: string, { from, to }: Span): Promise<number> {
    const found = await this.ask<unknown[]>("series", {
      "match[]": selector,
      start: `${from}`,
      end: `${to}`,
    });
    return found.length;
  }

  /** The values that a label had, of all series or of those that match. */
  labelValues(label: string, selector: string | undefined, { from, to }: Span): Promise<string[]> {
    const match = selector === undefined ? {} : { "match[]": selector };
    const parameters = new URLSearchParams({ ...match, start: `${from}`, end: `${to}` });
    return this.ask(`label/${label}/values?${parameters}`);
  }

  /** Of `/api/v1`; with a body by POST, as queries may be long. */
  private async ask<T>(path: string, body?: Record<string, string>): Promise<T> {
    const request = body === undefined ? {} : { method: "POST", body: new URLSearchParams(body) };
    const response = await fetch(`http://${this.address}/api/v1/${path}`, request);
    const { status, data, error } = (await response.json()) as { status: string; data: T; error?: string };
    if (status !== "success") throw new Error(`${error}, asked for ${JSON.stringify(body ?? path)}`);
    return data;
  }
}

/** For Prometheus and Alertmanager alike. */
export async function isReady(address: string): Promise<true | undefined> {
  const response = await fetch(`http://${address}/-/ready`).catch(() => undefined);
  await response?.text();
  return response?.ok ? true : undefined;
}
