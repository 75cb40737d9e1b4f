import { ErrorCode } from "../errors/error-code.ts";
import { connectionError, type Http2Error } from "../errors/http2-error.ts";
import { Flag } from "./frame-type.ts";

/**
 * Where the content of a DATA or HEADERS payload ends, before its padding (RFC 9113 §6.1). With the PADDED flag the first payload byte says how
 * much there is.
 */
export function contentEnd(flags: number, bytes: Uint8Array, start: number, end: number): number {
  if ((flags & Flag.padded) === 0) return end;
  const padding = end > start ? (bytes[start] as number) : 0;
  if (end - start < 1 + padding) throw paddingError();
  return end - padding;
}

export function paddingError(): Http2Error {
  return connectionError(ErrorCode.protocolError, "padding is longer than the frame");
}
