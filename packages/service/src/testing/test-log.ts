import type { LeveledLog, LogLevel } from "@tercel/interceptors/logging";

/** Creates a log that passes its lines to a test. */
export function createTestLog(onLog: ((line: Readonly<Record<string, unknown>>) => void) | undefined): LeveledLog {
  const at =
    (level: LogLevel) =>
    (message: string, fields: object = {}): void =>
      onLog?.({ level, message, ...fields });
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
