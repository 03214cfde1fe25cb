import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { QueueRow } from "../../inspector/protocol.js";
import type { Route } from "./route.js";
import type { State, Store } from "./store.js";

/** What each view gets: what is known, and what of that is to be shown. */
export interface View {
  readonly store: Store;
  readonly state: State;
  readonly route: Route;
  /** The instant that is shown: now, or that where one has paused. */
  readonly at: number;
  readonly isLive: boolean;
  go(route: Route, options?: { readonly replace: boolean }): void;
}

export const ViewContext = createContext<View | undefined>(undefined);

export function useView(): View {
  return useContext(ViewContext)!;
}

/** A row as it is at the instant that is shown; undefined where nothing is known of that. */
export function shownRow({ store, at, isLive }: View, key: string, row: QueueRow): QueueRow | undefined {
  return isLive ? row : store.past.rowAt(key, at, row);
}
