/**
 * A file whose tests take many seconds of a processor says so in a comment with what they do. `npm test` is for after every change and leaves it out,
 * so that it takes less than six minutes on two cores; `npm test -- --long` runs what it leaves out, and CI runs both.
 */
const markedLong = /^ *\/\/ Long: .+$/m;

/** Whether a test file with this text runs only when it is asked for. */
export function isLong(source: string): boolean {
  return markedLong.test(source);
}
