import { rmSync } from "node:fs";
import { Child } from "./child.js";
import { grafana } from "./grafana.js";
import { type Notices, takeNotices } from "./notices.js";
import type { Place } from "./place.js";
import type { Programs } from "./programs.js";
import { alertmanager, customers, demo, prometheus, type Server } from "./servers.js";

/** The demo finishes what it has accepted, which takes it 20 s at most. */
const DEMO_GRACE_MS = 25_000;
const GRACE_MS = 10_000;

/** The demo, its customers, and who watches it. */
export class Stack {
  /** In the order in which they were started, the demo first. */
  readonly children: Child[] = [];
  private notices: Notices | undefined;

  constructor(private readonly place: Place) {}

  /** Resolves when all are ready. Otherwise rejects; what has been started by then is for `stop`. Alerts are told as lines. */
  async start(programs: Programs, tell: (line: string) => void): Promise<void> {
    const { place } = this;
    this.notices = await takeNotices(tell);
    await this.run(demo(place));
    await this.run(customers(place));
    await this.run(alertmanager(programs.alertmanager, place, this.notices.url));
    await this.run(prometheus(programs.prometheus, place));
    if (programs.grafana !== undefined) await this.run(grafana(programs.grafana, place));
  }

  /** Resolves, with what there is to say, when the demo is gone: a fault like others, with an alert of its own. */
  async demoEnded(): Promise<string> {
    return `The demo ${await this.children[0]!.ended}`;
  }

  /** Rejects when any other is gone. */
  async watch(): Promise<never> {
    const [, ...others] = this.children;
    throw new Error(
      await Promise.race(
        others.map(async (child) => `${child.name} ${await child.ended}:\n${child.lastLines()}`),
      ),
    );
  }

  /** First the demo, then the others. Afterwards nothing is left. */
  async stop(): Promise<void> {
    for (const [index, child] of this.children.entries()) {
      await child.stop(index === 0 ? DEMO_GRACE_MS : GRACE_MS);
    }
    this.leave();
  }

  /** The same, at once. */
  kill(): void {
    for (const child of this.children) child.kill();
    this.leave();
  }

  private leave(): void {
    this.notices?.close();
    rmSync(this.place.folder, { recursive: true, force: true });
  }

  private async run({ command, readyAt }: Server): Promise<void> {
    const child = new Child({ ...command, log: this.place.path(`${command.name}.log`) });
    this.children.push(child);
    if (readyAt !== undefined) await child.answersAt(readyAt);
  }
}
