import { sql } from "@tercel/service";

/** The number in user.v1.UserRole: user, admin, moderator. */
export type StoredRole = 1 | 2 | 3;
/** The number in api.user.v1.UserStatus: active, inactive, suspended, deleted. */
export type StoredStatus = 1 | 2 | 3 | 4;

/** A stored user, without the password. Times are Unix milliseconds. */
export interface StoredUser {
  /** Increases with every user, because several may be created within one millisecond. */
  readonly seq: number;
  readonly id: string;
  readonly name: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly email: string;
  readonly role: StoredRole;
  readonly status: StoredStatus;
  /** JSON: a map of texts. */
  readonly metadata: string;
  /** JSON of an api.user.v1.UserProfile; null if there is none. */
  readonly profile: string | null;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** The columns of a `StoredUser`, for SELECT and RETURNING. */
export const userColumns = sql`seq, id, name, first_name AS "firstName", last_name AS "lastName", email, role, status, metadata, profile,
  created_at_ms AS "createdAtMs", updated_at_ms AS "updatedAtMs"`;

/**
 * Returns the form of a text for comparisons without case. The databases compare differently, and SQLite folds only the letters
 * A to Z, so folded copies are stored and searched. NFC makes a composed and a decomposed "é" equal.
 */
export function foldCase(text: string): string {
  return text.normalize("NFC").toLowerCase();
}
