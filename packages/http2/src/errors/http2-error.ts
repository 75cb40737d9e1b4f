import { ErrorCode, errorCodeName } from "./error-code.ts";
import type { LimitName } from "./limit-name.ts";

/** What an error ends: one stream, or the whole connection. */
export type ErrorScope = "stream" | "connection";

/**
 * What caused an error: the peer broke a rule or ended something, we could not continue (a limit, a time-out, a lost socket),
 * or the code that calls this package misused it.
 */
export type ErrorBlame = "peer" | "local" | "caller";

export interface Http2ErrorOptions {
  scope: ErrorScope;
  blame: ErrorBlame;
  /** RFC 9113 §7. Default: INTERNAL_ERROR, which the message does not mention then. */
  code?: number;
  /** The peer has certainly not acted on the stream, so the request may be sent again (RFC 9113 §8.7). */
  unprocessed?: boolean;
  /** The limit that the peer exceeded, if that was it. */
  limit?: LimitName;
  cause?: unknown;
}

/** The one error class of this package. Its fields, not its text, say what to do. */
export class Http2Error extends Error {
  override readonly name = "Http2Error";
  /** The message without the name of the code. A GOAWAY carries exactly this: peers compare it with tokens such as `too_many_pings`. */
  readonly reason: string;
  readonly scope: ErrorScope;
  readonly blame: ErrorBlame;
  readonly code: number;
  readonly unprocessed: boolean;
  readonly limit: LimitName | undefined;

  constructor(message: string, options: Http2ErrorOptions) {
    const { code, cause } = options;
    const shown = code === undefined ? message : `${message} (${errorCodeName(code)})`;
    super(shown, cause === undefined ? undefined : { cause });
    this.reason = message;
    this.scope = options.scope;
    this.blame = options.blame;
    this.code = code ?? ErrorCode.internalError;
    this.unprocessed = options.unprocessed ?? false;
    this.limit = options.limit;
  }
}

/** The peer broke a rule in a way that makes the whole connection unusable (RFC 9113 §5.4.1). */
export function connectionError(code: number, message: string): Http2Error {
  return new Http2Error(message, { scope: "connection", blame: "peer", code });
}

/** The peer broke a rule on one stream; the connection stays open (RFC 9113 §5.4.2). */
export function streamError(code: number, message: string): Http2Error {
  return new Http2Error(message, { scope: "stream", blame: "peer", code });
}

/** The peer exceeded a limit that costs it the connection. */
export function limitError(limit: LimitName, code: number, message: string): Http2Error {
  return new Http2Error(message, { scope: "connection", blame: "peer", code, limit });
}

/** The peer exceeded a limit that costs it one stream. */
export function streamLimitError(limit: LimitName, code: number, message: string): Http2Error {
  return new Http2Error(message, { scope: "stream", blame: "peer", code, limit });
}

/** The code that uses this package called a method that cannot succeed. */
export function callerError(message: string): Http2Error {
  return new Http2Error(message, { scope: "stream", blame: "caller" });
}
