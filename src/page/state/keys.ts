import { hrefOf } from "./route.js";
import { pastFrom } from "./store.js";
import { switchTheme } from "./theme.js";
import type { View } from "./view.js";

/** What a key does, anywhere on the page; in a field it writes. True: it was for us. */
export function pressed(event: KeyboardEvent, view: View, help: () => void): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const target = event.target as Element | null;
  if (document.querySelector("dialog[open]") !== null) return false;
  const isField = target?.matches("input:not([type=range]), textarea, select") ?? false;
  if (event.key === "Escape") return goBack(view, isField ? (target as HTMLElement) : undefined);
  if (isField) return false;
  const { go, route } = view;
  switch (event.key) {
    case " ":
      // A button or link that has the focus is what the space bar is for.
      if (target?.matches("button, a, summary, [role=button]")) return false;
      go({ ...route, at: view.isLive ? view.state.rows.at : undefined }, { replace: true });
      return true;
    case "[":
    case "{":
      return step(view, event.key === "{" ? -10 : -1);
    case "]":
    case "}":
      return step(view, event.key === "}" ? 10 : 1);
    case "j":
      return move(1);
    case "k":
      return move(-1);
    case "/":
      if (route.view !== "overview" && route.view !== "search") go({ view: "search" });
      requestAnimationFrame(() =>
        document.querySelector<HTMLInputElement>("main input[type=search]")?.focus(),
      );
      return true;
    case "o":
      location.hash = hrefOf({ view: "overview" });
      return true;
    case "b":
      location.hash = hrefOf({ view: "breaches" });
      return true;
    case "s":
      location.hash = hrefOf({ view: "search" });
      return true;
    case "t":
      switchTheme();
      return true;
    case "?":
      help();
      return true;
    default:
      return false;
  }
}

/** Empties the filter, leaves the field, or goes to the overview. */
function goBack({ route, go }: View, field: HTMLElement | undefined): boolean {
  if (route.view === "overview" && route.filter !== undefined) {
    go({ ...route, filter: undefined }, { replace: true });
    return true;
  }
  if (field !== undefined) {
    field.blur();
    return true;
  }
  if (route.view === "overview") return false;
  go({ view: "overview", at: route.at });
  return true;
}

/** Looks so many seconds further back, or forward to now. */
function step({ route, at, state, go }: View, seconds: number): boolean {
  const now = state.rows.at;
  const next = Math.max(pastFrom(now), at + seconds * 1_000);
  go({ ...route, at: next >= now ? undefined : next }, { replace: true });
  return true;
}

/** Gives the focus to the next link of the list, so that Enter opens it. */
function move(by: 1 | -1): boolean {
  const links = [...document.querySelectorAll<HTMLElement>(".cell-name a, .report-link")];
  if (links.length === 0) return false;
  const i = links.indexOf(document.activeElement as HTMLElement);
  const next =
    links[i < 0 ? (by === 1 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, i + by))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
  return true;
}
