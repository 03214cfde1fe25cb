import type { AnyBrokerKind } from "./kind.js";
import { OtherProcess } from "./other-process.js";
import { Side } from "./side.js";

/** One demand on an adapter of a broker. */
export interface BrokerCase {
  /** A sentence. */
  readonly name: string;
  /** Whether it is about something that the kind offers. Left out: always. */
  readonly isFor?: (kind: AnyBrokerKind) => boolean;
  readonly run: (stage: Stage) => Promise<void>;
}

export const hasOtherProcess = (kind: AnyBrokerKind): boolean => kind.otherProcess !== undefined;

let count = 0;

/** What a case has to itself. */
export class Stage {
  readonly queue = `conformance-${process.pid}-${count++}`;
  /** This process. */
  readonly here: Side;
  private other: OtherProcess | undefined = undefined;

  constructor(readonly kind: AnyBrokerKind) {
    this.here = new Side(kind);
  }

  /** The other process, which starts when it is first needed. */
  get there(): OtherProcess {
    this.other ??= OtherProcess.start(this.kind);
    return this.other;
  }

  async close(): Promise<void> {
    await this.other?.kill();
    await this.here.close();
  }
}
