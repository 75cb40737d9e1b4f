import { type Log, type LogFields, workerNumber } from "@tercel/grpc";
import { refuseUnknownOptions, thrownText } from "@tercel/grpc/internal";
import { type DestinationStream, pino } from "pino";

/** What is asked of a logger: pino's, and what is built like it. Fields first, then the message. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** Lines that would be dropped are not made. Default: every level counts as enabled. */
  isLevelEnabled?(level: string): boolean;
}

export interface LoggerOptions {
  /** Stands in each line as `service`. Default: none. */
  service?: string;
  /** Less important lines are dropped. Default "info". */
  level?: "debug" | "info" | "warn" | "error";
  /** Where the lines go. Default: standard output. */
  destination?: { write(line: string): unknown };
}

/**
 * A pino logger with what services need: one JSON object a line, ISO time, the level by name, `worker` in a worker. Every other pino logger does as well.
 *
 * @throws TypeError for an unknown option or level
 */
export function createLogger(options: LoggerOptions = {}): Logger {
  refuseUnknownOptions("createLogger", options, ["service", "level", "destination"]);
  const { service, level = "info", destination } = options;
  if (!["debug", "info", "warn", "error"].includes(level)) {
    throw new TypeError(`createLogger: level is ${JSON.stringify(level)}; it has to be debug, info, warn or error`);
  }
  const worker = workerNumber();
  const base = { ...(service !== undefined && { service }), ...(worker !== undefined && { worker }) };
  return pino(
    {
      level,
      base: Object.keys(base).length === 0 ? null : base,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: "message",
    },
    (destination as DestinationStream | undefined) ?? pino.destination({ dest: 1, sync: true }),
  );
}

/** The same logger for the `log` option of servers, channels and interceptors, which take the message first. */
export function logOf(logger: Logger): Log {
  return {
    debug: (message, fields) => logger.debug(readable(fields), message),
    info: (message, fields) => logger.info(readable(fields), message),
    warn: (message, fields) => logger.warn(readable(fields), message),
    error: (message, fields) => logger.error(readable(fields), message),
  };
}

/** JSON shows nothing of an Error. */
function readable(fields: LogFields = {}): object {
  const shown: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    shown[name] = value instanceof Error ? thrownText(value) : value;
  }
  return shown;
}
