import type { LogFields } from "@tercel/grpc";
import { logLine, workerNumber } from "@tercel/grpc/internal";
import { type AdjustableLog, createLog, type LogLevel } from "@tercel/interceptors/logging";

export interface ConsoleLogOptions {
  /** Lines that are less important are dropped. */
  readonly level: LogLevel;
  /** JSON lines for machines, or short lines for people. */
  readonly format: "json" | "pretty";
  /** Is in each line of JSON as `service`. */
  readonly service: string;
  /** Default: standard output. JSON lines are written to it together, those of one turn of the event loop. */
  readonly write?: (line: string) => unknown;
}

const levels: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** Writes a line for each message, as JSON or for people. Fields are shown whatever they hold. */
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

/** `12:30:05.123 INFO  listening port=50051`. */
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

/** A pipe that no one reads any more, or a full disk, loses lines and nothing else. */
function writeToStdout(line: string): void {
  if (!isGuarded) {
    isGuarded = true;
    process.stdout.on("error", () => {});
  }
  try {
    process.stdout.write(line);
  } catch {
    // There is nowhere left to report it.
  }
}
