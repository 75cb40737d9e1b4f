/**
 * The comment of a file whose tests take many seconds of CPU time, with the reason. `npm test` runs after every change and omits such files,
 * so that it takes less than six minutes on two cores. `npm test -- --long` runs them. CI runs both.
 */
const markedLong = /^ *\/\/ Long: .+$/m;

/** Returns whether a test file with this text is long. */
export function isLong(source: string): boolean {
  return markedLong.test(source);
}
