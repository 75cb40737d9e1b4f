import type { Log } from "@tercel/grpc";

export interface LoggedLine {
  readonly level: keyof Log;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Creates a log that records its lines instead of printing them. */
export function recordingLog(): { readonly log: Log; readonly logged: LoggedLine[] } {
  const logged: LoggedLine[] = [];
  const at =
    (level: keyof Log): Log[typeof level] =>
    (message, fields = {}) => {
      logged.push({ level, message, fields });
    };
  return { logged, log: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") } };
}
