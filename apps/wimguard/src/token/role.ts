/** What a token lets its bearer do: read; back up and restore as well; delete as well. */
export type Role = "reader" | "operator" | "admin";

/** Each can do what those before it can. */
export const roles: readonly [Role, ...Role[]] = ["reader", "operator", "admin"];
