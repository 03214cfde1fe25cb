import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

/** A part of a view, with its heading and what is said beside that. */
export function Section(props: {
  title: string;
  note?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}) {
  const id = useId();
  return (
    <section class={`section ${props.class ?? ""}`} aria-labelledby={id}>
      <header class="section-head">
        <h2 id={id}>{props.title}</h2>
        {props.note !== undefined && <span class="section-note">{props.note}</span>}
      </header>
      {props.children}
    </section>
  );
}

/** What stands where there is nothing to show, and why. */
export function Nothing({ children }: { children: ComponentChildren }) {
  return <p class="nothing">{children}</p>;
}

/** A figure with its name above it. */
export function Stat(props: {
  name: string;
  children: ComponentChildren;
  detail?: ComponentChildren;
  tone?: "bad" | undefined;
}) {
  return (
    <div class={`stat${props.tone === "bad" ? " stat-bad" : ""}`}>
      <dt>{props.name}</dt>
      <dd>
        <span class="stat-value">{props.children}</span>
        {props.detail !== undefined && <span class="stat-detail">{props.detail}</span>}
      </dd>
    </div>
  );
}
