import type { Log as FrameworkLog } from "@tercel/grpc";
import type { LeveledLog } from "@tercel/interceptors/logging";
import { describeError, type Log, type LogFields } from "./json-log.ts";

/** The shop's log as servers, registries and interceptors take one: what they say stands in `message` of such an event. */
export function toFrameworkLog(log: Log, event: string): FrameworkLog {
  const tell =
    (level: "info" | "warn" | "error") =>
    (message: string, fields: object = {}) =>
      log[level](event, { message, ...scalarsOf(fields) });
  return { debug() {}, info: tell("info"), warn: tell("warn"), error: tell("error") };
}

/** The shop's log as the logging interceptor takes one: lines at level debug are not even made. */
export function toCallLog(log: Log): LeveledLog {
  return { ...toFrameworkLog(log, "call"), isLevelEnabled: (level) => level !== "debug" };
}

function scalarsOf(fields: object): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === "object" ? describeError(value) : value]),
  );
}
