import type { Log, LogFields } from "@tercel/grpc";
import { logLine } from "@tercel/grpc/internal";
import { type OptionsOf, oneOf, readOption, readOptions, text, withMethods } from "../call/options.ts";
import type { LogLevel } from "./level-of-status.ts";
import { timeText } from "./line-text.ts";
import { writeToStdout } from "./stdout-lines.ts";

/** A log that can say which lines it drops, so that these are not made. */
export interface LeveledLog extends Log {
  /** Default: every level counts as enabled. */
  isLevelEnabled?(level: LogLevel): boolean;
}

/** A log whose level can be changed while it is used. */
export interface AdjustableLog extends LeveledLog {
  /** Less important lines are dropped. Setting it throws a TypeError for what is not a level. */
  level: LogLevel;
  isLevelEnabled(level: LogLevel): boolean;
}

const levels: readonly LogLevel[] = ["debug", "info", "warn", "error"];

export const logOptions = {
  /** Is in each line as `service`. Default: none. */
  service: text(),
  /** Less important lines are dropped. Default "info". */
  level: oneOf<LogLevel>("debug", "info", "warn", "error").or("info"),
  /**
   * Where lines go, each with its line end. Default: standard output, to which the lines of one turn of the event loop are written
   * together; they are also written when the process exits or fails by an error, but not when a signal kills it.
   */
  destination: withMethods<{ write(line: string): unknown }>("an object with the method write", "write"),
};

export type LogOptions = OptionsOf<typeof logOptions>;

/**
 * Creates a log of JSON lines, for the `log` option of servers, channels and interceptors: one object per line, with ISO time, level,
 * service, message and fields, and `worker` in a worker. Any other `Log` fits these options as well; `toLog` adapts pino.
 *
 * @throws TypeError for an unknown option or level
 */
export function createLog(options: LogOptions = {}): AdjustableLog {
  const { service, level, destination } = readOptions("createLog", logOptions, options);
  return new JsonLog(service, level, destination === undefined ? writeToStdout : (line) => destination.write(line));
}

/** The log that `createLog` makes. The interceptors give it lines whose fields are text already. */
export class JsonLog implements AdjustableLog {
  readonly #base: LogFields;
  #least: number;
  readonly #write: (line: string) => unknown;
  /** What lines have between their time and their fields, by level and message: as many as there are messages of interceptors. */
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

  // The promise of an asynchronous destination is returned, so that its failure can be contained where the log is used.
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
   * Writes a line whose fields are JSON text, such as `,"status":"OK"`, at a level that is enabled. The line is the same as that of the
   * method of the level with these fields.
   */
  writeText(level: LogLevel, message: string, fields: string): unknown {
    return this.#write(`{"time":"${timeText(Date.now())}"${this.#head(level, message)}${fields}}\n`);
  }

  #head(level: LogLevel, message: string): string {
    const heads = this.#heads.get(level) as Map<string, string>;
    let head = heads.get(message);
    if (head === undefined) {
      // What a line without fields has after its time.
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
