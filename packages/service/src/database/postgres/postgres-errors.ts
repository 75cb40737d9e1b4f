import { PermanentError } from "../../permanent-error.ts";
import { connectErrorText, DatabaseFull, DatabaseUnavailable, UniqueViolation } from "../database-errors.ts";

/** What PostgreSQL says of an error; other errors come from the socket or from pg. */
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

/** Another transaction was preferred; the same work may succeed when it is run again. */
export function gaveWay(error: unknown): boolean {
  return gaveWayCodes.includes(serverError(error)?.code ?? "");
}

/** A migration changed what a prepared statement of this connection returns. A new connection prepares it again. */
export function isStalePlan(error: unknown): boolean {
  return serverError(error)?.routine === "RevalidateCachedQuery";
}

/** Whether a statement's error means that the connection cannot be used any more. */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof UniqueViolation || error instanceof DatabaseFull) return false;
  const known = serverError(error);
  return known === undefined || shutdownCodes.includes(known.code ?? "") || known.code?.startsWith("08") === true;
}

/** The error as the port promises it. */
export function toDatabaseError(error: unknown): unknown {
  const known = serverError(error);
  if (known?.code === diskFull) return new DatabaseFull("postgres", error);
  if (known?.code !== uniqueViolation) return error;
  // "Key (org, email)=(1, a@b) already exists.", in whatever language; an expression has parentheses of its own.
  const columns = /\(([^()]*)\)=\(/.exec(known.detail ?? "")?.[1]?.split(", ") ?? [];
  return new UniqueViolation(
    known.table,
    columns.map((column) => column.replace(/^"(.*)"$/, "$1")),
    error,
  );
}

/** What to do about a refusal that no second attempt changes. */
const refusals: Readonly<Record<string, string>> = {
  "28P01": "the password of the url is wrong",
  "28000": "the server does not let this user in from here (pg_hba.conf), or there is no such role",
  "3D000": "create the database, or correct its name in the url",
};

/** Why a connection could not be opened. */
export function toOpenError(description: string, error: unknown): Error {
  const code = serverError(error)?.code ?? "";
  const advice = refusals[code];
  if (advice === undefined) return new DatabaseUnavailable(description, error);
  return new PermanentError(`${description}: ${connectErrorText(error)} (${code}): ${advice}`, { cause: error });
}
