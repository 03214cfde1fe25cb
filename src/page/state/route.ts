/** Where one is, as it stands behind the `#` of the address: so links lead to it wherever the page is mounted. */
export type Route = {
  /** Only queues of this process; on the page of a queue, the one that it is in. */
  readonly process?: string | undefined;
  /** The instant that is shown, in epoch milliseconds; absent while live. */
  readonly at?: number | undefined;
} & (
  | { readonly view: "overview"; readonly filter?: string | undefined; readonly sort?: string | undefined }
  | { readonly view: "queue"; readonly queue: string }
  | { readonly view: "breaches"; readonly id?: string | undefined }
  | { readonly view: "search"; readonly q?: string | undefined }
);

/** Reads the part behind `#`. What makes no sense is the overview. */
export function readRoute(hash: string): Route {
  const [path = "", query = ""] = split(hash.replace(/^#?\/?/, ""), "?");
  const params = new URLSearchParams(query);
  const at = Number(params.get("at") ?? Number.NaN);
  const common = { process: params.get("process") || undefined, at: at > 0 && at < 8.64e15 ? at : undefined };
  const [view = "", ...rest] = path.split("/");
  const name = decoded(rest.join("/"));
  if (view === "queue" && name !== "") return { view, queue: name, ...common };
  if (view === "breaches") return { view, id: name || undefined, ...common };
  if (view === "search") return { view, q: params.get("q") || undefined, ...common };
  return {
    view: "overview",
    filter: params.get("filter") || undefined,
    sort: params.get("sort") || undefined,
    ...common,
  };
}

/** The address of a route, relative to the page. */
export function hrefOf(route: Route): string {
  const { view, process, at } = route;
  const params = new URLSearchParams();
  if (process !== undefined) params.set("process", process);
  if (view === "overview" && route.filter) params.set("filter", route.filter);
  if (view === "overview" && route.sort) params.set("sort", route.sort);
  if (view === "search" && route.q) params.set("q", route.q);
  if (at !== undefined) params.set("at", `${Math.round(at)}`);
  const name = view === "queue" ? route.queue : view === "breaches" ? (route.id ?? "") : "";
  const path = view === "overview" ? "" : `${view}${name === "" ? "" : `/${encoded(name)}`}`;
  const query = params.toString();
  return `#/${path}${query === "" ? "" : `?${query}`}`;
}

/** A lone surrogate can't be encoded: what is looked for is then not found, which is better than no page. */
function encoded(name: string): string {
  return encodeURIComponent(name.replaceAll(/\p{Surrogate}/gu, "\ufffd"));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function split(text: string, by: string): [string, string] {
  const i = text.indexOf(by);
  return i < 0 ? [text, ""] : [text.slice(0, i), text.slice(i + 1)];
}
