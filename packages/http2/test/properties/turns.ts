/** Something that goes on for turns of the event loop, and gives way between them. */
export type Turns<T = void> = Generator<undefined, T, undefined>;

/** Enough to share a turn's cost, and few enough that their memory is used again by the next. */
const sideBySide = 16;

/**
 * Runs all of these, some side by side, a step of each in one turn of the event loop, and resolves to what they return.
 * Node's test runner follows every promise and every immediate, which costs more than a step does: here a turn of many is one
 * immediate.
 */
export function inTurns<T>(runs: readonly Turns<T>[]): Promise<T[]> {
  return new Promise((resolve, reject) => {
    const results: T[] = new Array(runs.length);
    let begun = 0;
    let going: number[] = [];
    const advances = (at: number): boolean => {
      const { done, value } = (runs[at] as Turns<T>).next();
      if (done) results[at] = value;
      return !done;
    };
    const step = (): void => {
      try {
        going = going.filter(advances);
        while (going.length < sideBySide && begun < runs.length) {
          if (advances(begun)) going.push(begun);
          begun++;
        }
      } catch (error) {
        reject(error);
        return;
      }
      if (going.length === 0) resolve(results);
      else setImmediate(step);
    };
    step();
  });
}
