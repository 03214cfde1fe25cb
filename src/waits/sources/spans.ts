import { SpanKind } from "@opentelemetry/api";
import { currentTaskNotes, type TaskNotes } from "../task-notes.js";
import { Pending } from "./source.js";

const PENDING: unique symbol = Symbol.for("queuescope.pending") as never;

/** What the SDK's spans have; 1.x calls the scope by its former name. */
interface OpenSpan {
  readonly name: string;
  readonly kind: SpanKind;
  readonly instrumentationScope?: { readonly name: string };
  readonly instrumentationLibrary?: { readonly name: string };
  [PENDING]?: SpanWait;
}

class SpanWait extends Pending {
  readonly kind = "span";

  constructor(
    notes: TaskNotes,
    private readonly span: OpenSpan,
  ) {
    super(notes);
  }

  protected label(): string {
    return this.span.name;
  }

  protected override state(): string | undefined {
    return (this.span.instrumentationScope ?? this.span.instrumentationLibrary)?.name;
  }
}

export function spanStarted(span: object): void {
  const notes = currentTaskNotes();
  if (notes === undefined || !Object.isExtensible(span) || isProcess(span as OpenSpan)) return;
  (span as OpenSpan)[PENDING] = new SpanWait(notes, span as OpenSpan);
}

export function spanEnded(span: object): void {
  (span as OpenSpan)[PENDING]?.end();
}

/** A task's own span is no wait of the task, and may begin in the context of another one. */
function isProcess({ kind, instrumentationScope, instrumentationLibrary }: OpenSpan): boolean {
  return (
    kind === SpanKind.CONSUMER && (instrumentationScope ?? instrumentationLibrary)?.name === "queuescope"
  );
}
