import { Code } from "@connectrpc/connect";

/** The grpc-status value of success. Connect's `Code` does not contain it. */
export const okStatusText = "0";

const largestCode = Code.Unauthenticated;
const statusTexts: readonly string[] = Array.from({ length: largestCode + 1 }, (_, code) => String(code));

/**
 * The grpc-status text of an error. A number that is not an error code, 0 included, becomes Unknown: an error must never
 * look like success on the wire.
 */
export function formatStatusCode(code: Code): string {
  return code > 0 ? (statusTexts[code] ?? formatStatusCode(Code.Unknown)) : formatStatusCode(Code.Unknown);
}

/**
 * Reads a grpc-status value: `undefined` for OK, otherwise the code. Anything but the decimal numbers 0 to 16 without leading
 * zeros is Unknown (gRPC status codes: "other" codes must be treated as UNKNOWN).
 */
export function parseStatusCode(text: string): Code | undefined {
  if (text === okStatusText) return undefined;
  if (text.length > 2) return Code.Unknown;
  const code = statusTexts.indexOf(text);
  return code > 0 ? code : Code.Unknown;
}

/** The code for a response that is not gRPC at all, by its HTTP status (gRPC's http-grpc-status-mapping). */
export function codeFromHttpStatus(httpStatus: number): Code {
  switch (httpStatus) {
    case 400:
      return Code.Internal;
    case 401:
      return Code.Unauthenticated;
    case 403:
      return Code.PermissionDenied;
    case 404:
      return Code.Unimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return Code.Unavailable;
    default:
      // 200 too: a response without grpc-status is not a success.
      return Code.Unknown;
  }
}

/**
 * The code for a stream that the peer reset, by the HTTP/2 error code (gRPC over HTTP/2, "Errors"). NO_ERROR is Internal as
 * well: a reset instead of trailers leaves the call without a status.
 */
export function codeFromStreamError(errorCode: number): Code {
  switch (errorCode) {
    case 0x7: // REFUSED_STREAM: nothing was processed, so the call may be repeated
      return Code.Unavailable;
    case 0x8: // CANCEL
      return Code.Canceled;
    case 0xb: // ENHANCE_YOUR_CALM
      return Code.ResourceExhausted;
    case 0xc: // INADEQUATE_SECURITY
      return Code.PermissionDenied;
    default:
      return Code.Internal;
  }
}

/** gRPC's names of the statuses, by number. Connect's `Code` writes them in its own way, and lacks OK. */
export const statusNames: readonly string[] = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
];
