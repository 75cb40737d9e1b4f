import type { Log, LogFields } from "@tercel/grpc";
import type { CommandContext } from "../frame/context.ts";
import { terminalText } from "../frame/terminal-text.ts";

/** Creates a log that prints the kit's messages to standard error. They omit the database, which the result names. */
export function createStderrLog({ stderr }: Pick<CommandContext, "stderr">): Log {
  const note =
    (prefix: string) =>
    (message: string, fields: LogFields = {}): void => {
      const { database: _database, ...others } = fields;
      const values = Object.values(others).map((value) => (Array.isArray(value) ? value.join(", ") : String(value)));
      void stderr.line(`${prefix}${terminalText([message, ...values].join(": "))}`);
    };
  const warn = note(`${stderr.style("yellow", "warning:")} `);
  return { debug() {}, info: note("  "), warn, error: warn };
}
