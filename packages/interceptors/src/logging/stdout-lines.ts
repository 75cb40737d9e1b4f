/** Buffered lines are written at once when they reach this length. */
const maxWaitingChars = 64 * 1024;

let waiting = "";
let isScheduled = false;
let isPrepared = false;

/**
 * Writes a line to standard output together with the others of this turn of the event loop, because a write costs as much as creating a line.
 * Buffered lines are also written when the process exits.
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
  // A closed pipe reports an error (EPIPE) for each write, which would end the process.
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
    // For example a full disk; there is no other place to report it.
  }
}
