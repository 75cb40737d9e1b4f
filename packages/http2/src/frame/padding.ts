import { ErrorCode } from "../errors/error-code.ts";
import { connectionError } from "../errors/http2-error.ts";
import { Flag } from "./frame-type.ts";

/**
 * How many bytes of padding follow the content of a DATA or HEADERS payload (RFC 9113 §6.1). With the PADDED flag the
 * first payload byte tells; `fixedBytes` counts what else stands before the content.
 */
export function paddingBytes(flags: number, bytes: Uint8Array, start: number, end: number, fixedBytes: number): number {
  if ((flags & Flag.padded) === 0) return 0;
  const padding = end > start ? (bytes[start] as number) : 0;
  if (end - start < 1 + fixedBytes + padding) {
    throw connectionError(ErrorCode.protocolError, "padding is longer than the frame");
  }
  return padding;
}
