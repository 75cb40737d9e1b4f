import { Code, ConnectError } from "@connectrpc/connect";
import type { FieldList } from "./metadata.ts";

const fieldOverheadBytes = 32;

/** The size of a header list as RFC 9113 §6.5.2 counts it: what SETTINGS_MAX_HEADER_LIST_SIZE limits. */
export function headerListBytes(fields: readonly string[]): number {
  let bytes = 0;
  for (let at = 0; at < fields.length; at += 2) {
    bytes += (fields[at] as string).length + (fields[at + 1] as string).length + fieldOverheadBytes;
  }
  return bytes;
}

/** What metadata belongs to that its receiver does not accept. */
export type HeaderListPart = "request headers" | "response headers" | "response trailers";

/** Metadata is larger than its receiver accepts. Sent all the same, it would cost the connection, and other calls with it. */
export function headerListTooLarge(part: HeaderListPart, bytes: number, limitBytes: number): ConnectError {
  const receiver = part === "request headers" ? "server" : "client";
  return new ConnectError(
    `the ${part} take ${bytes} bytes, and the ${receiver} accepts ${limitBytes} at most (SETTINGS_MAX_HEADER_LIST_SIZE)`,
    Code.ResourceExhausted,
  );
}

/** The error where a header list is larger than `limitBytes`. */
export function checkHeaderList(part: HeaderListPart, fields: FieldList, limitBytes: number): ConnectError | undefined {
  const bytes = headerListBytes(fields);
  return bytes > limitBytes ? headerListTooLarge(part, bytes, limitBytes) : undefined;
}
