import type { HttpRequestHead } from "@tercel/grpc/protocols";

/** Returns the value of a header field; several values are joined by commas. Undefined if it is missing. */
export function findHeader(fields: readonly string[], name: string): string | undefined {
  let found: string | undefined;
  for (let at = 0; at < fields.length; at += 2) {
    if (fields[at] !== name) continue;
    const value = fields[at + 1] as string;
    found = found === undefined ? value : `${found}, ${value}`;
  }
  return found;
}

/** Splits a request target into the path, and the query without the question mark. */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const mark = target.indexOf("?");
  return mark === -1 ? { path: target, query: "" } : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

/** Returns the URL of a request as the client sent it. */
export function urlOf({ scheme, authority, path }: Pick<HttpRequestHead, "scheme" | "authority" | "path">): string {
  return `${scheme}://${authority ?? "localhost"}${path}`;
}

/** Returns the shortest of the times that are defined. */
export function shortest(...timesMs: (number | undefined)[]): number | undefined {
  let leastMs: number | undefined;
  for (const timeMs of timesMs) {
    if (timeMs !== undefined && (leastMs === undefined || timeMs < leastMs)) leastMs = timeMs;
  }
  return leastMs;
}
