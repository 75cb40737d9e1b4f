/** A number of user.v1.UserRole: user, admin, moderator. */
export type StoredRole = 1 | 2 | 3;

/** A user as it is stored, without the password. Times are Unix milliseconds. */
export interface StoredUser {
  /** Rises with every user: several may be created within one millisecond. */
  readonly seq: number;
  readonly id: string;
  readonly name: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly email: string;
  readonly role: StoredRole;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** The columns of a `StoredUser`, for SELECT and RETURNING. */
export const userColumns = `seq, id, name, first_name AS "firstName", last_name AS "lastName", email, role,
  created_at_ms AS "createdAtMs", updated_at_ms AS "updatedAtMs"`;

/** A row of `userColumns` as an ordinary object; rows of node:sqlite have no prototype. */
export function userOf(row: unknown): StoredUser {
  return { ...(row as StoredUser) };
}
