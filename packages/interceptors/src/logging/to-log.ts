import type { LogFields } from "@tercel/grpc";
import { thrownText } from "@tercel/grpc/internal";
import type { LeveledLog } from "./json-log.ts";

/** The members of a pino logger that are used. Its methods take the fields first, then the message. */
export interface PinoLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  isLevelEnabled?(level: string): boolean;
}

/** Adapts a pino logger, or one with the same methods, to the `log` option of servers, channels and interceptors. */
export function toLog(logger: PinoLogger): LeveledLog {
  return {
    debug: (message, fields) => logger.debug(toReadable(fields), message),
    info: (message, fields) => logger.info(toReadable(fields), message),
    warn: (message, fields) => logger.warn(toReadable(fields), message),
    error: (message, fields) => logger.error(toReadable(fields), message),
    ...(logger.isLevelEnabled !== undefined && { isLevelEnabled: (level) => logger.isLevelEnabled?.(level) ?? true }),
  };
}

/** Replaces errors by their text, because JSON.stringify omits the contents of an Error. */
function toReadable(fields: LogFields = {}): object {
  for (const name of Object.keys(fields)) {
    if (!(fields[name] instanceof Error)) continue;
    return Object.fromEntries(
      Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? thrownText(value) : value]),
    );
  }
  return fields;
}
