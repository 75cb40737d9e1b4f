import { PermanentError } from "../../permanent-error.ts";
import { connectErrorText, DatabaseFull, DatabaseUnavailable, UniqueViolation } from "../database-errors.ts";

/** Properties of PostgreSQL's errors; other errors come from the socket or from pg. */
interface ServerError {
  readonly code?: string;
  readonly severity?: string;
  readonly routine?: string;
  readonly table?: string;
  readonly detail?: string;
}

function serverError(error: unknown): ServerError | undefined {
  const found = (error ?? {}) as ServerError;
  return found.severity === undefined ? undefined : found;
}

// SQLSTATE codes (PostgreSQL, appendix A).
const uniqueViolation = "23505";
const diskFull = "53100";
const gaveWayCodes = ["40001", "40P01"];
const shutdownCodes = ["57P01", "57P02", "57P03"];

/** Whether the transaction lost against another one and may succeed when it is retried. */
export function gaveWay(error: unknown): boolean {
  return gaveWayCodes.includes(serverError(error)?.code ?? "");
}

/** Whether a migration invalidated a prepared statement of this connection; a new connection prepares it again. */
export function isStalePlan(error: unknown): boolean {
  return serverError(error)?.routine === "RevalidateCachedQuery";
}

/** Whether an error means that the connection can no longer be used. */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof UniqueViolation || error instanceof DatabaseFull) return false;
  const known = serverError(error);
  return known === undefined || shutdownCodes.includes(known.code ?? "") || known.code?.startsWith("08") === true;
}

/** Converts an error to the port's error classes. */
export function toDatabaseError(error: unknown): unknown {
  const known = serverError(error);
  if (known?.code === diskFull) return new DatabaseFull("postgres", error);
  if (known?.code !== uniqueViolation) return error;
  // "Key (org, email)=(1, a@b) already exists.", in any language; an expression contains parentheses itself.
  const columns = /\(([^()]*)\)=\(/.exec(known.detail ?? "")?.[1]?.split(", ") ?? [];
  return new UniqueViolation(
    known.table,
    columns.map((column) => column.replace(/^"(.*)"$/, "$1")),
    error,
  );
}

/** Advice by SQLSTATE code for errors that a retry cannot fix. */
const refusals: Readonly<Record<string, string>> = {
  "28P01": "check the password in the url",
  "28000": "the role does not exist, or pg_hba.conf does not allow this user from this address",
  "3D000": "create the database, or fix its name in the url",
};

/** Converts the error of a failed connection attempt. */
export function toOpenError(description: string, error: unknown): Error {
  const code = serverError(error)?.code ?? "";
  const advice = refusals[code];
  if (advice === undefined) return new DatabaseUnavailable(description, error);
  return new PermanentError(`${description}: ${connectErrorText(error)} (${code}): ${advice}`, { cause: error });
}
