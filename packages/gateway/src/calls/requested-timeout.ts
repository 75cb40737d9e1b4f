import { parseTimeout } from "@tercel/grpc/protocols";
import { findHeader, shortest } from "./read-fields.ts";

/** Returns the shortest timeout in any of the timeout headers. Invalid ones are ignored. */
export function requestedTimeout(fields: readonly string[]): number | undefined {
  let timeoutMs: number | undefined;
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string;
    const parse = parsers.get(name);
    if (parse !== undefined) timeoutMs = shortest(timeoutMs, parse(findHeader(fields, name) ?? ""));
  }
  return timeoutMs;
}

/** The parsers by header name. They return milliseconds. */
const parsers: ReadonlyMap<string, (text: string) => number | undefined> = new Map([
  ["grpc-timeout", parseGrpcTimeout],
  ["connect-timeout-ms", (text) => (/^[0-9]{1,10}$/.test(text) ? Number(text) : undefined)],
  ["x-server-timeout", (text) => (/^[0-9]{1,9}(\.[0-9]{1,9})?$/.test(text) ? Number(text) * 1000 : undefined)],
]);

function parseGrpcTimeout(text: string): number | undefined {
  const parsed = parseTimeout(text);
  return "timeoutMs" in parsed ? parsed.timeoutMs : undefined;
}
