/** Clients open the connection, and streams with odd identifiers; servers, which never push, do not open streams. */
export type Role = "client" | "server";
