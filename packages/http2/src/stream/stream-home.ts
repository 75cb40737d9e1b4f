import type { TurnWork } from "../frame/turn-work.ts";
import type { HeaderFields } from "./header-fields.ts";
import type { Loan } from "./loan.ts";
import type { PeerTls } from "./peer-tls.ts";
import type { StreamState } from "./state.ts";

/** The frames that a stream writes itself. */
export interface StreamFrames {
  /** `reserved` is the memory that `StreamOutput.reserve` gave an offset into. */
  readonly data: { readonly reserved: Uint8Array };
  headers(streamId: number, fields: HeaderFields, extra: readonly string[], endStream: boolean): void;
  windowUpdate(streamId: number, increment: number): void;
  /** See `Http2Stream.giveData`. */
  freeWhenSent(bytes: Uint8Array): void;
}

/** The way of a stream's data. */
export interface StreamOutput<S> {
  /** See `Http2Stream.reserveData`. */
  reserve(stream: S, bytes: number): number;
  commit(stream: S, offset: number, bytes: number, endStream: boolean): void;
  /** See `Http2Stream.copyData`. */
  copy(stream: S, prefix: Uint8Array, body: Uint8Array, endStream: boolean): boolean;
  /** Sends what windows and socket allow of what the stream has pending, `addedBytes` of it new; the rest follows when there is room. */
  pending(stream: S, addedBytes: number): void;
  /** `bytes` pending bytes will not be sent. */
  stopWaiting(bytes: number): void;
}

/** The receive window that a stream shares with others. */
export interface StreamCredit {
  release(bytes: number): void;
  /** Data that was cut into tiny frames has been used up; see `SmallDataBudget`. */
  readonly smallData: { giveBack(cost: number): void };
}

/** See the methods of `Http2Stream` that have these names. */
export interface StreamMemory<S> {
  lend(stream: S, bytes: number): void;
  complete(loan: Loan): void;
  repay(loan: Loan, bytes: number): number;
  takeRoom(stream: S, bytes: number): Promise<void> | undefined;
  keepRoom(stream: S, bytes: number): void;
  leaveRoom(stream: S): void;
}

/** The other end, as a stream shows it. */
export interface StreamPeer {
  readonly peerAddress: string | undefined;
  readonly peerTls: PeerTls | undefined;
  /** The largest header list that the peer says it takes (RFC 9113 §6.5.2); Infinity when it has not said. Advice only. */
  readonly peerMaxHeaderListBytes: number;
}

/** What the streams of a connection share, and what they report to. */
export interface StreamHome<S> {
  readonly frames: StreamFrames;
  readonly output: StreamOutput<S>;
  readonly credit: StreamCredit;
  readonly memory: StreamMemory<S>;
  readonly peer: StreamPeer;
  /** The windows that a new stream has. */
  readonly initialSendBytes: number;
  readonly initialReceiveBytes: number;
  /** What the peer may believe that the receive window begins at. */
  readonly initialReceiveAllowance: number;
  readonly streamBufferBytes: number;
  /** Messages that the layer above has counted. */
  readonly messages: { sent: number; received: number };
  readonly turnWork: TurnWork;
  /** See `Http2Stream.admit`. */
  admit(stream: S, expectedBytes: number): boolean;
  sendReset(stream: S, code: number): void;
  /** `inGoodOrder`: both sides ended it, no one reset it. `before` is the state that it was in. */
  streamClosed(stream: S, inGoodOrder: boolean, before: StreamState): void;
  /** The stream no longer keeps the process alive. */
  streamUnreferenced(stream: S): void;
  slotReleased(stream: S): void;
  /** The listener threw while no frame of its stream was being read. */
  listenerThrew(stream: S, error: unknown): void;
  /** The peer's advice left no room for a response: it counts as pointless, because each such stream ends with a reset. */
  headersTooLarge(): void;
}
