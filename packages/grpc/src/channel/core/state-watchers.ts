import type { ConnectivityState } from "../subchannel/connectivity.ts";

/** Hears a state that the channel has entered. */
export type StateWatcher = (state: ConnectivityState) => void;

/** The listeners to a channel's states: each state is reported in its own microtask, so that a listener cannot disturb the channel. */
export class StateWatchers {
  private readonly watchers = new Set<StateWatcher>();

  /** Returns what ends the watch. */
  add(watcher: StateWatcher): () => void {
    // An entry of its own, so that one function can watch twice and each watch ends by itself.
    const entry: StateWatcher = (state) => watcher(state);
    this.watchers.add(entry);
    return () => this.watchers.delete(entry);
  }

  notify(state: ConnectivityState): void {
    for (const watcher of this.watchers) {
      queueMicrotask(() => {
        if (this.watchers.has(watcher)) watcher(state);
      });
    }
  }
}
