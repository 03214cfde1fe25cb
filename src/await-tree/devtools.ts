/** A session with an inspector, by the Chrome DevTools Protocol. */
export interface DevTools {
  /** Rejects where the inspector answers with an error, or the session ends first. */
  // biome-ignore lint/suspicious/noExplicitAny: the protocol's results have no types here but those that a caller reads.
  post(method: string, params?: object): Promise<any>;
  /** Calls `listener` with the parameters of each such event, until the returned function is called. */
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  on(event: string, listener: (params: any) => void): () => void;
}

/** What the inspector answered with instead of a result. */
export class DevToolsError extends Error {
  override readonly name = "DevToolsError";
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** A session over a connection that carries texts, such as a WebSocket. */
export class RemoteDevTools implements DevTools {
  private lastId = 0;
  private readonly open = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  private readonly listeners = new Map<string, Set<(params: never) => void>>();
  private isClosed = false;

  constructor(private readonly send: (text: string) => void) {}

  post(method: string, params: object = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.isClosed) return reject(new DevToolsError("the inspector's session has ended"));
      const id = ++this.lastId;
      this.open.set(id, { resolve, reject });
      this.send(JSON.stringify({ id, method, params }));
    });
  }

  on(event: string, listener: (params: never) => void): () => void {
    const all = this.listeners.get(event) ?? new Set();
    this.listeners.set(event, all);
    all.add(listener);
    return () => all.delete(listener);
  }

  /** To be called with each text that comes. */
  hear(text: string): void {
    const { id, method, params, result, error } = JSON.parse(text) as Message;
    if (id === undefined) {
      for (const listener of this.listeners.get(method!) ?? []) listener(params as never);
      return;
    }
    const asked = this.open.get(id);
    this.open.delete(id);
    if (error === undefined) asked?.resolve(result);
    else asked?.reject(new DevToolsError(error.message));
  }

  /** The connection has ended. */
  closed(): void {
    this.isClosed = true;
    for (const { reject } of this.open.values()) {
      reject(new DevToolsError("the inspector's session has ended"));
    }
    this.open.clear();
  }
}

/** Whether it is fulfilled within so many milliseconds. */
export async function within(ms: number, promise: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
