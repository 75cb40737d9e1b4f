/** Something that happens once and can be waited for. */
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

/** Resolves when the signal is aborted, to its reason. */
export function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    else signal.addEventListener("abort", () => resolve(signal.reason), { once: true });
  });
}

/** A turn of the event loop: everything that was ready has run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Turns until nothing can be on its way any more between two ends in the same process. */
export async function quiet(): Promise<void> {
  for (let at = 0; at < 20; at++) await turn();
}

/**
 * Turns until a figure has come to `atLeast` and stopped changing, and returns it. How long the former takes is the machine's
 * affair; the latter is believed after fifty turns.
 */
export async function settled(figure: () => number, atLeast: number = Number.NEGATIVE_INFINITY): Promise<number> {
  let last = Number.NaN;
  for (let unchanged = 0; unchanged < 50; unchanged++) {
    // A little real time as well: a socket's other end is read when the system reports it as readable.
    await new Promise((resolve) => setTimeout(resolve, 1));
    const now = figure();
    if (now === last && now >= atLeast) continue;
    last = now;
    unchanged = 0;
  }
  return last;
}
