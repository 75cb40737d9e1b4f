import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";

/** By the names of the kit's errors: its classes are those of the project's copy, which this program does not import. */
const exitCodesByName: Readonly<Record<string, number>> = {
  DatabaseUnavailable: exitCodes.noConnection,
  PermanentError: exitCodes.invalidInput,
};

/** What went wrong with a database, with an exit code that says which kind it is. Other errors are returned as they are. */
export function databaseFailure(error: unknown): unknown {
  if (error instanceof CommandFailure || !(error instanceof Error)) return error;
  const exitCode = exitCodesByName[error.name];
  return exitCode === undefined ? error : new CommandFailure(exitCode, error.message, { cause: error });
}
