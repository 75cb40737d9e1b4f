import type { HttpRequestHead } from "@tercel/grpc/protocols";

/** The value of a header field; several are joined by commas. Undefined when there is none. */
export function findHeader(fields: readonly string[], name: string): string | undefined {
  let found: string | undefined;
  for (let at = 0; at < fields.length; at += 2) {
    if (fields[at] !== name) continue;
    const value = fields[at + 1] as string;
    found = found === undefined ? value : `${found}, ${value}`;
  }
  return found;
}

/** The path of a request, and its query without the question mark. */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const mark = target.indexOf("?");
  return mark === -1 ? { path: target, query: "" } : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

/** The URL of a request, as its client wrote it. */
export function urlOf({ scheme, authority, path }: Pick<HttpRequestHead, "scheme" | "authority" | "path">): string {
  return `${scheme}://${authority ?? "localhost"}${path}`;
}

/** The shorter of the times, of those that there are. */
export function shortest(...timesMs: (number | undefined)[]): number | undefined {
  let leastMs: number | undefined;
  for (const timeMs of timesMs) {
    if (timeMs !== undefined && (leastMs === undefined || timeMs < leastMs)) leastMs = timeMs;
  }
  return leastMs;
}
