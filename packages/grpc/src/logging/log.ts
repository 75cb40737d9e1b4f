import { thrownText } from "./thrown-text.ts";
import { workerNumber } from "./worker-number.ts";

/** Facts next to a message: short, printable, and never a secret. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Where the framework reports what it does not send to a caller. `console` fits, and so does pino with two lines of glue. A log that throws or
 * rejects loses the line and nothing else: the first failure is reported as a process warning, TERCEL_LOG_FAILED.
 */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/**
 * Warnings and errors as one JSON object per line on standard error; what is less important is dropped. Never throws, whatever the
 * fields hold, and lines are lost silently when standard error is closed.
 */
export const stderrLog: Log = {
  debug() {},
  info() {},
  warn: (message, fields) => write("warn", message, fields),
  error: (message, fields) => write("error", message, fields),
};

let isGuarded = false;

function write(level: string, message: string, fields: LogFields = {}): void {
  const line = logLine(level, message, fields);
  try {
    if (!isGuarded) {
      isGuarded = true;
      // A pipe that no one reads any more reports each write as an error later (EPIPE), which would end the process.
      process.stderr.on("error", () => {});
    }
    process.stderr.write(`${line}\n`);
  } catch {
    // A full disk, for instance: it cannot be reported anywhere else.
  }
}

/** One JSON object, whatever the fields hold. */
export function logLine(level: string, message: string, fields: LogFields): string {
  return JSON.stringify({
    time: new Date().toISOString(),
    level,
    worker: workerNumber(),
    message,
    ...readable(fields),
  });
}

/** The fields as JSON shows them, one by one, so that one that cannot be shown does not take the others with it. */
function readable(fields: LogFields): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const name of Object.keys(fields)) shown[name] = readableValue(fields, name);
  return shown;
}

function readableValue(fields: LogFields, name: string): unknown {
  try {
    const value = fields[name];
    if (typeof value === "bigint" || typeof value === "symbol") return String(value);
    if (typeof value !== "object") return value;
    if (value instanceof Error) return thrownText(value);
    // Parsed again, so that what is written later can hold no getter, cycle or toJSON of the application's.
    return JSON.parse(JSON.stringify(value));
  } catch {
    return "a value that cannot be shown";
  }
}
