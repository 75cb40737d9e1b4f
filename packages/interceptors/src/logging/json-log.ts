import type { Log, LogFields } from "@tercel/grpc";
import { logLine } from "@tercel/grpc/internal";
import { type OptionsOf, oneOf, readOption, readOptions, text, withMethods } from "../call/options.ts";
import type { LogLevel } from "./level-of-status.ts";
import { timeText } from "./line-text.ts";
import { writeToStdout } from "./stdout-lines.ts";

/** A log that reports which levels it drops, so that their lines are not created. */
export interface LeveledLog extends Log {
  /** Whether the level is enabled. Default: all levels are. */
  isLevelEnabled?(level: LogLevel): boolean;
}

/** A log whose level can be changed at any time. */
export interface AdjustableLog extends LeveledLog {
  /** The minimum level; lines below it are dropped. Setting an unknown level throws a TypeError. */
  level: LogLevel;
  isLevelEnabled(level: LogLevel): boolean;
}

const levels: readonly LogLevel[] = ["debug", "info", "warn", "error"];

export const logOptions = {
  /** The value of `service` in each line. Default: none. */
  service: text(),
  /** The minimum level; lines below it are dropped. Default "info". */
  level: oneOf<LogLevel>("debug", "info", "warn", "error").or("info"),
  /**
   * Receives the lines, each with its line break. Default: standard output. The lines of one turn of the event loop are written together, also
   * when the process exits or fails with an error, but not when a signal kills it.
   */
  destination: withMethods<{ write(line: string): unknown }>("an object with the method write", "write"),
};

export type LogOptions = OptionsOf<typeof logOptions>;

/**
 * Creates a log of JSON lines, for the `log` option of servers, channels and interceptors. Each line is an object with ISO time, level,
 * service, message and fields, and `worker` in a worker. These options also accept any other `Log`; `toLog` adapts pino.
 *
 * @throws TypeError for an unknown option or level
 */
export function createLog(options: LogOptions = {}): AdjustableLog {
  const { service, level, destination } = readOptions("createLog", logOptions, options);
  return new JsonLog(service, level, destination === undefined ? writeToStdout : (line) => destination.write(line));
}

/** The log that `createLog` returns. Interceptors can pass it lines whose fields are already JSON text. */
export class JsonLog implements AdjustableLog {
  readonly #base: LogFields;
  #least: number;
  readonly #write: (line: string) => unknown;
  /** The text between the time and the fields of a line, by level and message. Only the few messages of interceptors are stored. */
  readonly #heads = new Map<LogLevel, Map<string, string>>(levels.map((level) => [level, new Map()]));

  constructor(service: string | undefined, level: LogLevel, write: (line: string) => unknown) {
    this.#base = service === undefined ? {} : { service };
    this.#least = levels.indexOf(level);
    this.#write = write;
  }

  get level(): LogLevel {
    return levels[this.#least] as LogLevel;
  }

  set level(level: LogLevel) {
    readOption("log", "level", logOptions.level, level);
    this.#least = levels.indexOf(level);
  }

  isLevelEnabled(level: LogLevel): boolean {
    return levels.indexOf(level) >= this.#least;
  }

  // Returns the promise of an asynchronous destination, so that the caller can handle its failure.
  debug(message: string, fields?: LogFields): unknown {
    return this.#log("debug", message, fields);
  }

  info(message: string, fields?: LogFields): unknown {
    return this.#log("info", message, fields);
  }

  warn(message: string, fields?: LogFields): unknown {
    return this.#log("warn", message, fields);
  }

  error(message: string, fields?: LogFields): unknown {
    return this.#log("error", message, fields);
  }

  /**
   * Writes a line at an enabled level, with fields as JSON text such as `,"status":"OK"`. The line is the same as from the level's method with
   * these fields.
   */
  writeText(level: LogLevel, message: string, fields: string): unknown {
    return this.#write(`{"time":"${timeText(Date.now())}"${this.#head(level, message)}${fields}}\n`);
  }

  #head(level: LogLevel, message: string): string {
    const heads = this.#heads.get(level) as Map<string, string>;
    let head = heads.get(message);
    if (head === undefined) {
      // The text of a line without fields, after its time.
      head = logLine(level, message, this.#base)
        .replace(/^\{"time":"[^"]*"/, "")
        .slice(0, -1);
      heads.set(message, head);
    }
    return head;
  }

  #log(level: LogLevel, message: string, fields: LogFields | undefined): unknown {
    if (!this.isLevelEnabled(level)) return undefined;
    return this.#write(`${logLine(level, message, { ...this.#base, ...fields })}\n`);
  }
}
