/** Who opened the connection: clients open streams with odd identifiers, and servers (which never push) none. */
export type Role = "client" | "server";
