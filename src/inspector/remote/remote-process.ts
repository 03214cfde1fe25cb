import {
  type ActionRequest,
  API,
  type Hello,
  PROTOCOL,
  type ProcessInfo,
  type ServerEvents,
  type Snapshot,
} from "../protocol.js";
import { type Question, ViewError } from "../view.js";
import { type Asked, ask, stream } from "./client.js";
import { ProcessState } from "./process-state.js";

/** Another process of this machine, by its socket. */
export class RemoteProcess {
  readonly state = new ProcessState();
  private events: { close(): void } | undefined;
  isStreaming = false;

  private constructor(
    readonly path: string,
    readonly info: ProcessInfo,
  ) {}

  /** Rejects with a `ViewError` where nothing answers, or what does speaks another version of the protocol. */
  static async at(path: string): Promise<RemoteProcess> {
    const { protocol, processes } = JSON.parse(await ask(path, `${API}/hello`)) as Hello;
    const [info] = processes ?? [];
    if (protocol !== PROTOCOL || info === undefined) {
      throw new ViewError(
        "conflict",
        `a process speaks version ${protocol} of the protocol, and this is ${PROTOCOL}`,
      );
    }
    return new RemoteProcess(path, info);
  }

  async snapshot(): Promise<Snapshot> {
    return JSON.parse(await this.ask("snapshot")) as Snapshot;
  }

  answer(question: Question): Promise<string> {
    const { route, process: _, ...rest } = question;
    const query = new URLSearchParams();
    for (const [key, value] of Object.entries(rest)) if (value !== undefined) query.set(key, value);
    if (route === "metrics") return ask(this.path, "metrics");
    return this.ask(`${route}?${query}`);
  }

  act(request: ActionRequest, token: string | undefined): Promise<string> {
    return this.ask("action", { method: "POST", body: JSON.stringify(request), token });
  }

  private ask(route: string, asked?: Asked): Promise<string> {
    return ask(this.path, `${API}/${route}`, asked);
  }

  /** Follows its events, and keeps {@link state} up to date. `ended` is called once. */
  follow(told: (event: keyof ServerEvents, json: string) => void, ended: () => void): void {
    this.isStreaming = true;
    this.events = stream(this.path, `${API}/events`, {
      event: (name, json) => {
        if (name === "bye") return;
        if (name === "snapshot") this.state.begin(JSON.parse(json) as Snapshot);
        else if (name === "changes") this.state.apply(JSON.parse(json));
        told(name as keyof ServerEvents, json);
      },
      ended: () => {
        this.isStreaming = false;
        this.events = undefined;
        ended();
      },
    });
  }

  unfollow(): void {
    this.events?.close();
  }
}
