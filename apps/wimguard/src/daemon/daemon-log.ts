import type { Log, LogFields } from "@tercel/grpc";

/** Limit on the characters of one field. */
const maxFieldCharacters = 4_000;

/** Creates the daemon's log: one JSON object per line. It never throws; lines are dropped when the output is closed. */
export function createDaemonLog(writeLine: (line: string) => void): Log {
  const write = (level: string, message: string, fields: LogFields = {}): void => {
    try {
      const shown = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, toShown(value)]));
      writeLine(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...shown })}\n`);
    } catch {
      // A line with a field that cannot be serialized is dropped.
    }
  };
  return {
    debug() {},
    info: (message, fields) => write("info", message, fields),
    warn: (message, fields) => write("warn", message, fields),
    error: (message, fields) => write("error", message, fields),
  };
}

function toShown(value: unknown): unknown {
  if (value instanceof Error) return (value.stack ?? value.message).slice(0, maxFieldCharacters);
  return typeof value === "string" ? value.slice(0, maxFieldCharacters) : value;
}
