/**
 * What every subject sends and expects, so that all of them do the same work. The Go and C++ clients state the same
 * values once more, and the call that each subject has to answer before it is measured shows that they agree.
 */

/** The message of a unary call: 20 bytes, about the size of a key or an identifier. */
export const UNARY_MESSAGE = "hello from the bench";

/** Messages per streaming call: enough that starting the call weighs nothing, few enough that calls keep on ending. */
export const MESSAGES_PER_STREAM = 1000;

/** Payload of each streamed message, in bytes. */
export const STREAM_PAYLOAD_BYTES = 16;

/** What a call of ServerStream asks for, where it is not that. */
export interface StreamSize {
  readonly count: number;
  readonly payloadSize: number;
}

/**
 * How long a client makes its load before it counts. A client is a new process in every round, and V8 compiles by
 * number of calls: with less, the slower peers would be measured half compiled.
 */
export const WARM_UP_SECONDS = 5;
