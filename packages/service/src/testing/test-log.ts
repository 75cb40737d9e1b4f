import type { ConsoleLog } from "../logging/console-log.ts";

/** A log whose lines a test gets. */
export function createTestLog(onLog: ((line: Readonly<Record<string, unknown>>) => void) | undefined): ConsoleLog {
  const at =
    (level: ConsoleLog["level"]) =>
    (message: string, fields: object = {}): void =>
      onLog?.({ level, message, ...fields });
  return { level: "debug", debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
