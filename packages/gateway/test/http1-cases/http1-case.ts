/** What a client sends on one connection, and how many requests of it are served. */
export interface Http1Case {
  readonly title: string;
  readonly text: string;
  /** Requests that the gateway serves. */
  readonly served: number;
  /** Why `node:http` serves more of them; undefined where it serves the same. */
  readonly stricter?: string;
}

/** A case that the gateway reads as `node:http` does. */
export function same(title: string, served: number, text: string): Http1Case {
  return { title, text, served };
}

/** A case of which the gateway serves fewer requests than `node:http` does, for a reason. */
export function stricter(title: string, served: number, text: string, reason: string): Http1Case {
  return { title, text, served, stricter: reason };
}

/** A head: the request line, fields, and the empty line. */
export function head(line: string, ...fields: readonly string[]): string {
  return [line, ...fields, "", ""].join("\r\n");
}

/** The same with a host. */
export function hosted(line: string, ...fields: readonly string[]): string {
  return head(`${line} HTTP/1.1`, "Host: a", ...fields);
}

/** What follows a case, to show whether the connection is still read. */
export const next: string = hosted("GET /next");
