import { DatabaseFull, UniqueViolation } from "../database-errors.ts";

// Result codes (sqlite.org/rescode.html). The low byte is the primary code.
const busy = 5;
const locked = 6;
const readOnly = 8;
const full = 13;
const notADatabase = 26;
const uniqueCodes = [1555, 2067, 2579];

function codeOf(error: unknown): number | undefined {
  const { errcode } = (error ?? {}) as { errcode?: unknown };
  return typeof errcode === "number" ? errcode : undefined;
}

export function isBusy(error: unknown): boolean {
  const primary = (codeOf(error) ?? 0) & 0xff;
  return primary === busy || primary === locked;
}

/** Whether a statement tried to write on a read-only connection. */
export function isReadOnly(error: unknown): boolean {
  return ((codeOf(error) ?? 0) & 0xff) === readOnly;
}

export function isNotADatabase(error: unknown): boolean {
  return codeOf(error) === notADatabase;
}

/** Whether node:sqlite rejected an integer that a number cannot represent. */
export function isOutOfRange(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === "ERR_OUT_OF_RANGE";
}

/** Converts an error to the port's error classes. */
export function toDatabaseError(error: unknown): unknown {
  const code = codeOf(error);
  if (((code ?? 0) & 0xff) === full) return new DatabaseFull("sqlite", error);
  if (code === undefined || !uniqueCodes.includes(code)) return error;
  // "UNIQUE constraint failed: users.org, users.email", or for an index on an expression "…: index 'users_lower_email'".
  const keys = /constraint failed: (.*)$/.exec((error as Error).message)?.[1] ?? "";
  if (keys.startsWith("index '")) return new UniqueViolation(undefined, [], error);
  const names = keys.split(", ").map((key) => key.split("."));
  return new UniqueViolation(
    names[0]?.[0],
    names.flatMap(([, column]) => column ?? []),
    error,
  );
}
