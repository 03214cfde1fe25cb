import { traceHref } from "../state/links.js";
import { hrefOf } from "../state/route.js";
import { useView } from "../state/view.js";

/** A correlation ID, which leads to what is known of it. */
export function CorrelationId({ id }: { id: string | undefined }) {
  if (id === undefined) return <span class="muted">no correlation ID</span>;
  return (
    <a class="id" href={hrefOf({ view: "search", q: id })} title={id}>
      <bdi>{id}</bdi>
    </a>
  );
}

/** A link to the trace, where the server says where traces are to be seen. */
export function TraceLink({ id }: { id: string | undefined }) {
  const template = useView().state.hello?.traceUrl;
  const href = id === undefined ? undefined : traceHref(template, id);
  if (href === undefined) return null;
  return (
    <a class="trace" href={href} target="_blank" rel="noopener noreferrer" title={`trace ${id}`}>
      trace<span aria-hidden="true"> ↗</span>
    </a>
  );
}
