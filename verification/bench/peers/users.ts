/**
 * The rows for ListUsers of every server. The peers in other languages repeat these values, and the verification call before each
 * measurement checks that they agree.
 */

/** A user in the form of a query's row. */
export interface UserRow {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly roles: readonly string[];
  readonly isActive: boolean;
  readonly createdAtSeconds: number;
  readonly street: string;
}

/** The number of users in a page, which have 3.4 kB. */
export const USERS_PER_PAGE = 20;

export function userRows(): UserRow[] {
  return Array.from({ length: USERS_PER_PAGE }, (_, index) => {
    const number = String(index).padStart(2, "0");
    return {
      id: `0f8fad5b-d9cb-469f-a165-7086772895${number}`,
      name: `Ada Lovelace ${number}`,
      email: `ada.lovelace.${number}@example.com`,
      roles: index % 4 === 0 ? ["member", "admin"] : ["member"],
      isActive: index % 5 !== 0,
      createdAtSeconds: 1_700_000_000 + index * 86_400,
      street: `${number} Ockham Park Lane`,
    };
  });
}

/** Returns the fields of a message, built from a row as in a handler. */
export function toUser(row: UserRow) {
  return {
    id: row.id,
    name: row.name,
    email: row.email,
    roles: [...row.roles],
    isActive: row.isActive,
    createdAtSeconds: row.createdAtSeconds,
    address: { street: row.street, city: "London", postalCode: "SW1Y 4JH", countryCode: "GB" },
    timeZone: "Europe/London",
    locale: "en-GB",
  };
}
