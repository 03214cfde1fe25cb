import { useEffect, useReducer, useRef, useState } from "preact/hooks";
import { pressed } from "./state/keys.js";
import { hrefOf, type Route, readRoute } from "./state/route.js";
import type { Store } from "./state/store.js";
import { switchTheme } from "./state/theme.js";
import { useView, type View, ViewContext } from "./state/view.js";
import { Breaches } from "./views/breaches.js";
import { Help } from "./views/help.js";
import { Overview } from "./views/overview.js";
import { QueuePage } from "./views/queue.js";
import { Search } from "./views/search.js";
import { Timeline } from "./views/timeline.js";

const VIEWS = { overview: Overview, queue: QueuePage, breaches: Breaches, search: Search } as const;

/** The page: where one is, and when. */
export function App({ store }: { store: Store }) {
  const [, rerender] = useReducer<number, void>((n) => n + 1, 0);
  const [route, setRoute] = useState(() => readRoute(location.hash));
  const [isHelping, help] = useState(false);
  useEffect(() => store.subscribe(() => rerender()), [store]);
  useEffect(() => {
    const read = () => setRoute(readRoute(location.hash));
    addEventListener("hashchange", read);
    return () => removeEventListener("hashchange", read);
  }, []);

  const { state } = store;
  const view: View = {
    store,
    state,
    route,
    at: route.at ?? state.rows.at,
    isLive: route.at === undefined,
    go: (next, { replace } = { replace: false }) => {
      if (replace) history.replaceState(null, "", hrefOf(next));
      else history.pushState(null, "", hrefOf(next));
      setRoute(next);
    },
  };
  const current = useRef(view);
  current.current = view;
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (!event.defaultPrevented && pressed(event, current.current, () => help(true)))
        event.preventDefault();
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, []);
  useEffect(() => {
    document.title = titleOf(view);
  });

  const Shown = VIEWS[route.view];
  return (
    <ViewContext.Provider value={view}>
      <Bar help={() => help(true)} />
      <Shown />
      <Help isOpen={isHelping} close={() => help(false)} />
    </ViewContext.Provider>
  );
}

function Bar({ help }: { help: () => void }) {
  const { state, route } = useView();
  const late = state.reports.filter(({ clearedAt }) => clearedAt === undefined).length;
  const tabs: readonly (readonly [name: string, to: Route, isHere: boolean, count?: number])[] = [
    ["Queues", { view: "overview", at: route.at }, route.view === "overview" || route.view === "queue"],
    ["Breaches", { view: "breaches" }, route.view === "breaches", late],
    ["Search", { view: "search" }, route.view === "search"],
  ];
  return (
    <header class="bar">
      <a class="brand" href={hrefOf({ view: "overview" })}>
        <svg width="18" height="18" viewBox="0 0 16 16" aria-hidden="true">
          <rect width="16" height="16" rx="4" />
          <path d="M3.5 5h9M3.5 8h6.5M3.5 11h4" />
        </svg>
        <span>Queuescope</span>
      </a>
      <nav aria-label="Views">
        {tabs.map(([name, to, isHere, n = 0]) => (
          <a key={name} href={hrefOf(to)} aria-current={isHere ? "page" : undefined}>
            {name}
            {n > 0 && <span class="badge">{n}</span>}
          </a>
        ))}
      </nav>
      <Timeline />
      <span class="bar-buttons">
        <button
          type="button"
          class="icon"
          aria-label="Light or dark"
          title="Light or dark (t)"
          onClick={switchTheme}
        >
          <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
            <circle cx="8" cy="8" r="5.5" />
            <path d="M8 2.5a5.5 5.5 0 0 1 0 11Z" />
          </svg>
        </button>
        <button type="button" class="icon wide" aria-label="Keys" title="Keys (?)" onClick={help}>
          ?
        </button>
      </span>
    </header>
  );
}

function titleOf({ state, route }: View): string {
  const late = [...state.rows.queues.values()].filter(({ health }) => health === "breach").length;
  const where = route.view === "queue" ? `${route.queue} · ` : "";
  return `${late > 0 ? `(${late}) ` : ""}${where}Queuescope`;
}
