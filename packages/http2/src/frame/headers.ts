import { ErrorCode } from "../errors/error-code.ts";
import { connectionError } from "../errors/http2-error.ts";
import { readUint31 } from "./frame-header.ts";
import { Flag } from "./frame-type.ts";
import { contentEnd, paddingError } from "./padding.ts";
import { priorityBytes } from "./priority.ts";

/** Where the header block fragment begins in a HEADERS payload (RFC 9113 §6.2): after pad length and priority. A shorter payload is a size error. */
export function headersFragmentStart(flags: number, start: number, end: number): number {
  const from = start + ((flags & Flag.padded) === 0 ? 0 : 1) + ((flags & Flag.priority) === 0 ? 0 : priorityBytes);
  if (from > end) throw connectionError(ErrorCode.frameSizeError, "a HEADERS frame is shorter than its own fields");
  return from;
}

/** Where the header block fragment ends, before the padding. */
export function headersFragmentEnd(flags: number, bytes: Uint8Array, start: number, end: number): number {
  const to = contentEnd(flags, bytes, start, end);
  if (to < headersFragmentStart(flags, start, end)) throw paddingError();
  return to;
}

/** The stream that a HEADERS frame with the PRIORITY flag says it depends on, or -1. */
export function headersDependency(flags: number, bytes: Uint8Array, start: number): number {
  if ((flags & Flag.priority) === 0) return -1;
  return readUint31(bytes, start + ((flags & Flag.padded) === 0 ? 0 : 1));
}
