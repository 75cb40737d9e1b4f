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
