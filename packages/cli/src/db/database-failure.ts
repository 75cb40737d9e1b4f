import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";

/** Exit codes by the name of the kit's error. Its classes are not comparable: they come from the project's copy of the kit. */
const exitCodesByName: Readonly<Record<string, number>> = {
  DatabaseUnavailable: exitCodes.noConnection,
  PermanentError: exitCodes.invalidInput,
};

/** Converts an error of a database to a failure with its exit code. Returns other errors unchanged. */
export function databaseFailure(error: unknown): unknown {
  if (error instanceof CommandFailure || !(error instanceof Error)) return error;
  const exitCode = exitCodesByName[error.name];
  return exitCode === undefined ? error : new CommandFailure(exitCode, error.message, { cause: error });
}
