import type { Writable } from "node:stream";

/**
 * Resolves when a program takes more of what it is given, or has ended: it then says why with its exit code and its lines. Nothing is left on the
 * stream, on which a large archive waits a hundred thousand times.
 */
export function untilDrained(stdin: Writable): Promise<void> {
  if (stdin.destroyed || !stdin.writableNeedDrain) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      stdin.off("drain", end).off("close", end);
      resolve();
    };
    stdin.on("drain", end).on("close", end);
  });
}
