import type { JsonObject } from "@bufbuild/protobuf";
import { exitCodes } from "./exit-codes.ts";

export interface FailureOptions {
  /** How to fix it, printed on a separate line. */
  readonly hint?: string | undefined;
  /** Further lines, such as the details of a status. */
  readonly lines?: readonly string[];
  /** Further properties of the error object of `-o json`. */
  readonly json?: JsonObject;
  readonly cause?: unknown;
}

/** An error that ends a command. The message says what failed, where and why; the exit code classifies it for scripts. */
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

/** Creates a failure for an invalid command line, with exit code 2. */
export function usageFailure(message: string, hint?: string): CommandFailure {
  return new CommandFailure(exitCodes.usage, message, { hint });
}
