import { type Log, type LogFields, stderrLog } from "./log.ts";
import { thrownMessage } from "./thrown-text.ts";

/** Logs that have failed, each of which was reported once. */
const reported = new WeakSet<object>();
/** The same log is often given to many parts of a program. */
const safeLogs = new WeakMap<Log, Log>();

/**
 * The log that a part of the framework writes to: the given one, made so that it cannot throw, or the default. Each `log` option passes
 * through here, so that no place that logs has to guard itself.
 *
 * A log that throws, or returns a promise that rejects, loses that line and nothing else. Its first failure is a process warning with
 * the code TERCEL_LOG_FAILED (`process.on("warning", …)`); later ones are dropped, because a log that fails does so with every call.
 */
export function safeLog(log: Log | undefined): Log {
  if (log === undefined || log === stderrLog) return stderrLog;
  let safe = safeLogs.get(log);
  if (safe === undefined) {
    safe = {
      debug: (message, fields) => write(log, "debug", message, fields),
      info: (message, fields) => write(log, "info", message, fields),
      warn: (message, fields) => write(log, "warn", message, fields),
      error: (message, fields) => write(log, "error", message, fields),
    };
    safeLogs.set(log, safe);
    safeLogs.set(safe, safe);
  }
  return safe;
}

function write(log: Log, level: keyof Log, message: string, fields: LogFields | undefined): void {
  try {
    containRejection(log, log[level](message, fields));
  } catch (error) {
    reportLogFailure(log, error);
  }
}

/** Takes what writing a line returned: a promise that rejects would otherwise end the process. */
export function containRejection(log: object, written: unknown): void {
  if (typeof written !== "object" || written === null) return;
  Promise.resolve(written).then(undefined, (error) => reportLogFailure(log, error));
}

/** Reports the first failure of each log as a process warning. */
export function reportLogFailure(log: object, error: unknown): void {
  if (reported.has(log)) return;
  reported.add(log);
  process.emitWarning(`a log failed, so lines of it are missing; reported once for each log: ${thrownMessage(error)}`, {
    type: "TercelWarning",
    code: "TERCEL_LOG_FAILED",
  });
}
