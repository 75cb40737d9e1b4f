/** What a log line may carry in addition to its event; scalars only, so that writing it can never fail. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** A structured log: one JSON object per line, with time, level, service and event first. */
export interface Log {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** A longer text, a stack trace for example, is cut here: one event must not fill a disk or a terminal. */
const maxFieldChars = 4_000;

/**
 * Creates a log that writes to standard error, so that standard output stays free for a program's answer.
 *
 * @param service Name that tells the lines of several services apart.
 * @param writeLine Where lines go, newline included; standard error by default.
 */
export function createJsonLog(
  service: string,
  writeLine: (line: string) => void = (line) => void process.stderr.write(line),
): Log {
  const write = (level: string, event: string, fields: LogFields) => {
    const record: Record<string, unknown> = { time: new Date().toISOString(), level, service, event };
    for (const [name, value] of Object.entries(fields)) {
      record[name] = typeof value === "string" ? value.slice(0, maxFieldChars) : value;
    }
    writeLine(`${JSON.stringify(record)}\n`);
  };
  return {
    info: (event, fields = {}) => write("info", event, fields),
    warn: (event, fields = {}) => write("warn", event, fields),
    error: (event, fields = {}) => write("error", event, fields),
  };
}

/** The text of something thrown, its stack included when it has one. */
export function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
