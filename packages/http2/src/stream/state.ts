import { ErrorCode } from "../errors/error-code.ts";
import { connectionError, type Http2Error, streamError } from "../errors/http2-error.ts";

/**
 * RFC 9113 §5.1, without the two reserved states: we never push, and refuse to be pushed to.
 *
 *             idle
 *              │ HEADERS (either side)
 *              ▼
 *             open ───────────────┐
 *    END_STREAM│ received         │END_STREAM sent
 *              ▼                  ▼
 *      halfClosedRemote     halfClosedLocal
 *              │ END_STREAM sent  │ END_STREAM received
 *              ▼                  ▼
 *             closed ◄────────────┘   RST_STREAM either way closes from every state
 *
 * Numbers, because the state is read for every frame.
 */
export const StreamState = { open: 1, halfClosedLocal: 2, halfClosedRemote: 3, closed: 4 } as const;
export type StreamState = (typeof StreamState)[keyof typeof StreamState];

/** END_STREAM was sent. */
export function afterSendingEnd(state: StreamState): StreamState {
  return state === StreamState.open ? StreamState.halfClosedLocal : StreamState.closed;
}

/** END_STREAM was received. */
export function afterReceivingEnd(state: StreamState): StreamState {
  return state === StreamState.open ? StreamState.halfClosedRemote : StreamState.closed;
}

/** RST_STREAM, sent or received, or the end of the connection. */
export function afterReset(): StreamState {
  return StreamState.closed;
}

export function maySend(state: StreamState): boolean {
  return state === StreamState.open || state === StreamState.halfClosedRemote;
}

export function mayReceive(state: StreamState): boolean {
  return state === StreamState.open || state === StreamState.halfClosedLocal;
}

/** DATA or HEADERS was received although the peer had ended its side. */
export function afterEndError(streamId: number): Http2Error {
  return streamError(ErrorCode.streamClosed, `a frame came on stream ${streamId} after its end`);
}

/** A frame was received that must not open a stream. */
export function idleError(streamId: number, frame: string): Http2Error {
  return connectionError(ErrorCode.protocolError, `${frame} came on stream ${streamId}, which was never opened`);
}
