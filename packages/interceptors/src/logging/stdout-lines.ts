/** Lines that wait take at most about this much memory. */
const maxWaitingChars = 64 * 1024;

let waiting = "";
let isScheduled = false;
let isPrepared = false;

/**
 * Writes a line to standard output together with the others of this turn of the event loop, because each write costs as much as making a
 * line. What waits when the process exits is written then.
 */
export function writeToStdout(line: string): void {
  waiting += line;
  if (waiting.length >= maxWaitingChars) {
    flush();
    return;
  }
  if (isScheduled) return;
  isScheduled = true;
  prepare();
  setImmediate(() => {
    isScheduled = false;
    flush();
  });
}

function prepare(): void {
  if (isPrepared) return;
  isPrepared = true;
  // A pipe that no one reads any more reports each write as an error later (EPIPE), which would end the process.
  process.stdout.on("error", () => {});
  process.on("exit", flush);
}

function flush(): void {
  if (waiting === "") return;
  const lines = waiting;
  waiting = "";
  try {
    process.stdout.write(lines);
  } catch {
    // A full disk, for instance: there is nowhere left to report it.
  }
}
