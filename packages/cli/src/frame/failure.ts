import type { JsonObject } from "@bufbuild/protobuf";
import { exitCodes } from "./exit-codes.ts";

export interface FailureOptions {
  /** What to do about it, in a line of its own. */
  readonly hint?: string | undefined;
  /** Further lines, such as the details of a status. */
  readonly lines?: readonly string[];
  /** Further properties of the error object that is printed with `-o json`. */
  readonly json?: JsonObject;
  readonly cause?: unknown;
}

/** Ends a command: the message says what failed, where and why, and the exit code tells scripts which kind of failure it is. */
export class CommandFailure extends Error {
  readonly exitCode: number;
  readonly hint: string | undefined;
  readonly lines: readonly string[];
  readonly json: JsonObject;

  constructor(exitCode: number, message: string, options: FailureOptions = {}) {
    super(message, { cause: options.cause });
    this.name = "CommandFailure";
    this.exitCode = exitCode;
    this.hint = options.hint;
    this.lines = options.lines ?? [];
    this.json = options.json ?? {};
  }
}

/** The command line is wrong: exit code 2. */
export function usageFailure(message: string, hint?: string): CommandFailure {
  return new CommandFailure(exitCodes.usage, message, { hint });
}
