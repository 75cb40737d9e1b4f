/** The network state of a browser. Outside of browsers, the network is always online. */
export interface Network {
  readonly isOnline: boolean;
  /** Resolves when the browser is online again; rejects with the signal's reason when it aborts. */
  whenOnline(signal: AbortSignal): Promise<void>;
  /** Calls the listener each time the browser goes offline, until the signal aborts. */
  onOffline(listener: () => void, signal: AbortSignal): void;
}

type NetworkEvent = "online" | "offline";

/** Globals of pages and workers, which Node does not have. */
interface PageGlobals {
  readonly navigator?: { readonly onLine?: boolean };
  readonly addEventListener?: (
    type: NetworkEvent,
    listener: () => void,
    options: { readonly signal: AbortSignal },
  ) => void;
}

export const browserNetwork: Network = {
  get isOnline() {
    return (globalThis as PageGlobals).navigator?.onLine !== false;
  },
  whenOnline: (signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const over = new AbortController();
      const onAbort = (): void => {
        over.abort();
        reject(signal.reason);
      };
      signal.addEventListener("abort", onAbort, { once: true, signal: over.signal });
      listen(
        "online",
        () => {
          over.abort();
          resolve();
        },
        over.signal,
      );
    }),
  onOffline: (listener, signal) => listen("offline", listener, signal),
};

function listen(type: NetworkEvent, listener: () => void, signal: AbortSignal): void {
  (globalThis as PageGlobals).addEventListener?.call(globalThis, type, listener, { signal });
}

/** Resolves after `delayMs`; rejects with the signal's reason when it aborts. */
export function pauseFor(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    }, delayMs);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
