/**
 * A slot that holds one value for one reader. A newer value replaces the one that was not read yet, so a reader that never
 * reads costs no more than one that does.
 */
export interface LatestValue<T> {
  set(value: T): void;
  /**
   * The value set since the last read, or the next one to be set. `undefined` once the slot is closed. Only one read may wait
   * at a time.
   */
  next(): Promise<T | undefined>;
  /** Ends waiting and future reads and lets go of the signal. */
  close(): void;
}

/** Makes an empty slot that closes when `signal` aborts. */
export function createLatestValue<T>(signal: AbortSignal): LatestValue<T> {
  let held: T | undefined;
  let isClosed = false;
  let waiting: ((value: T | undefined) => void) | undefined;

  function close(): void {
    isClosed = true;
    held = undefined;
    signal.removeEventListener("abort", close);
    waiting?.(undefined);
    waiting = undefined;
  }

  if (signal.aborted) close();
  else signal.addEventListener("abort", close);

  return {
    set(value) {
      if (isClosed) return;
      if (waiting === undefined) {
        held = value;
      } else {
        waiting(value);
        waiting = undefined;
      }
    },
    next() {
      if (isClosed || held !== undefined) {
        const value = held;
        held = undefined;
        return Promise.resolve(value);
      }
      return new Promise((resolve) => {
        waiting = resolve;
      });
    },
    close,
  };
}
