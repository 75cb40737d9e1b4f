import type { LogFields } from "@tercel/grpc";
import { logLine, workerNumber } from "@tercel/grpc/internal";
import type { LeveledLog } from "@tercel/interceptors/logging";

export type ConsoleLevel = "debug" | "info" | "warn" | "error";

export interface ConsoleLogOptions {
  /** Lines that are less important are dropped. */
  readonly level: ConsoleLevel;
  /** JSON lines for machines, or short lines for people. */
  readonly format: "json" | "pretty";
  /** Is in each line of JSON as `service`. */
  readonly service: string;
  readonly write: (line: string) => unknown;
}

/** A log whose level can be changed while it is used. */
export interface ConsoleLog extends LeveledLog {
  level: ConsoleLevel;
}

const levels: readonly ConsoleLevel[] = ["debug", "info", "warn", "error"];

/** Writes a line for each message, as JSON or for people. Fields are shown whatever they hold. */
export function createConsoleLog({ level, format, service, write }: ConsoleLogOptions): ConsoleLog {
  const show = format === "json" ? jsonLine(service) : prettyLine;
  const at =
    (own: ConsoleLevel) =>
    (message: string, fields: LogFields = {}): void => {
      if (isLevelEnabled(own)) write(`${show(own, message, fields)}\n`);
    };
  const isLevelEnabled = (own: ConsoleLevel): boolean => levels.indexOf(own) >= levels.indexOf(log.level);
  const log: ConsoleLog = {
    level,
    isLevelEnabled,
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
  };
  return log;
}

function jsonLine(service: string): (level: ConsoleLevel, message: string, fields: LogFields) => string {
  return (level, message, fields) => logLine(level, message, { service, ...fields });
}

/** `12:30:05.123 INFO  listening port=50051`. */
function prettyLine(level: ConsoleLevel, message: string, fields: LogFields): string {
  const shown = JSON.parse(logLine(level, message, fields)) as Record<string, unknown>;
  const { time, level: _level, worker = workerNumber(), message: _message, ...rest } = shown;
  const texts = Object.entries({ ...rest, ...(worker !== undefined && { worker }) }).map(([name, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return text.includes("\n") ? `\n  ${name}: ${text.replaceAll("\n", "\n  ")}` : ` ${name}=${text}`;
  });
  return `${String(time).slice(11, 23)} ${level.toUpperCase().padEnd(5)} ${message}${texts.join("")}`;
}
