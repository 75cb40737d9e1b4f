import type { LogFields } from "@tercel/grpc";
import { logLine, workerNumber } from "@tercel/grpc/internal";
import { type AdjustableLog, createLog, type LogLevel } from "@tercel/interceptors/logging";

export interface ConsoleLogOptions {
  /** Minimum level; less important lines are dropped. */
  readonly level: LogLevel;
  /** JSON lines, or short readable lines. */
  readonly format: "json" | "pretty";
  /** Value of `service` in each JSON line. */
  readonly service: string;
  /** Writes lines. Default: standard output, to which the JSON lines of one turn of the event loop are written together. */
  readonly write?: (line: string) => unknown;
}

const levels: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** Creates a log that writes a line for each message, as JSON or as readable text. Fields may have any value. */
export function createConsoleLog({ level, format, service, write }: ConsoleLogOptions): AdjustableLog {
  return format === "pretty"
    ? createPrettyLog(level, write ?? writeToStdout)
    : createLog({ level, service, ...(write !== undefined && { destination: { write } }) });
}

function createPrettyLog(level: LogLevel, write: (line: string) => unknown): AdjustableLog {
  const at =
    (own: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      if (isLevelEnabled(own)) write(`${prettyLine(own, message, fields)}\n`);
    };
  const isLevelEnabled = (own: LogLevel): boolean => levels.indexOf(own) >= levels.indexOf(log.level);
  const log: AdjustableLog = {
    level,
    isLevelEnabled,
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
  };
  return log;
}

/** Formats a readable line: `12:30:05.123 INFO  listening port=50051`. */
function prettyLine(level: LogLevel, message: string, fields: LogFields): string {
  const shown = JSON.parse(logLine(level, message, fields)) as Record<string, unknown>;
  const { time, level: _level, worker = workerNumber(), message: _message, ...rest } = shown;
  const texts = Object.entries({ ...rest, ...(worker !== undefined && { worker }) }).map(([name, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return text.includes("\n") ? `\n  ${name}: ${text.replaceAll("\n", "\n  ")}` : ` ${name}=${text}`;
  });
  return `${String(time).slice(11, 23)} ${level.toUpperCase().padEnd(5)} ${message}${texts.join("")}`;
}

let isGuarded = false;

/** Writes to standard output; a closed pipe or a full disk loses lines without further effects. */
function writeToStdout(line: string): void {
  if (!isGuarded) {
    isGuarded = true;
    process.stdout.on("error", () => {});
  }
  try {
    process.stdout.write(line);
  } catch {
    // The error cannot be reported anywhere.
  }
}
