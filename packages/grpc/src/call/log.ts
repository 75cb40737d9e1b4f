import { workerNumber } from "./worker-number.ts";

/** Facts beside a message: short, printable, and never a secret. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where the framework reports what nobody else is told. `console` fits, and so does pino behind two lines of glue. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Warnings and errors as one JSON object per line on standard error; what is less important is dropped. */
export const stderrLog: Log = {
  debug() {},
  info() {},
  warn: (message, fields) => write("warn", message, fields),
  error: (message, fields) => write("error", message, fields),
};

function write(level: string, message: string, fields: LogFields = {}): void {
  const line = { time: new Date().toISOString(), level, worker: workerNumber(), message, ...readable(fields) };
  process.stderr.write(`${JSON.stringify(line)}\n`);
}

/** An Error has no enumerable fields: JSON would show `{}` just where the cause matters. */
function readable(fields: LogFields): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    shown[name] = value instanceof Error ? (value.stack ?? String(value)) : value;
  }
  return shown;
}
