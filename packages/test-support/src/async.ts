/** A promise that a test resolves itself. */
export interface Occasion<T = void> {
  readonly happened: Promise<T>;
  happen(value: T): void;
}

export function createOccasion<T = void>(): Occasion<T> {
  let happen: (value: T) => void = () => {};
  const happened = new Promise<T>((resolve) => {
    happen = resolve;
  });
  return { happened, happen };
}

export async function collect<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const message of messages) collected.push(message);
  return collected;
}

export async function* streamOf<T>(...messages: T[]): AsyncIterable<T> {
  yield* messages;
}

/** Resolves with the signal's reason when it is aborted. */
export function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    else signal.addEventListener("abort", () => resolve(signal.reason), { once: true });
  });
}

/** Waits for one turn of the event loop, so that all ready callbacks have run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Waits for enough turns that nothing is in transit between two ends in the same process. */
export async function quiet(): Promise<void> {
  for (let at = 0; at < 20; at++) await turn();
}

/**
 * Waits until a number has reached `atLeast` and has not changed for fifty turns, and returns it. The time to reach `atLeast` is not limited,
 * because it depends on the machine.
 */
export async function settled(figure: () => number, atLeast: number = Number.NEGATIVE_INFINITY): Promise<number> {
  let last = Number.NaN;
  for (let unchanged = 0; unchanged < 50; unchanged++) {
    // Some real time as well: a socket is read only after the system has reported it as readable.
    await new Promise((resolve) => setTimeout(resolve, 1));
    const now = figure();
    if (now === last && now >= atLeast) continue;
    last = now;
    unchanged = 0;
  }
  return last;
}
