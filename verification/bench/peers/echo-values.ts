/**
 * The values that every subject sends and expects, so that all do the same work. The Go and C++ clients repeat these
 * values, and the verification call before each measurement checks that they agree.
 */

/** The message of a unary call: 20 bytes, about the size of a key or an identifier. */
export const UNARY_MESSAGE = "hello from the bench";

/** Messages per streaming call: enough that the start of a call does not matter, and few enough that calls end regularly. */
export const MESSAGES_PER_STREAM = 1000;

/** Payload of each streamed message, in bytes. */
export const STREAM_PAYLOAD_BYTES = 16;

/** The request of ServerStream, if it differs. */
export interface StreamSize {
  readonly count: number;
  readonly payloadSize: number;
}

/**
 * The warm-up of a client. A client is a new process in every round, and V8 compiles by
 * number of calls. With less, slow peers would be measured before they are compiled.
 */
export const WARM_UP_SECONDS = 5;
