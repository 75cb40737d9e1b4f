import { Code, ConnectError } from "@connectrpc/connect";
import { giveGatherSlab, takeGatherSlab } from "./gather-slabs.ts";
import { gatheringBegan, gatheringEnded, reportExternalBytes } from "./gc-pressure.ts";
import { Payload } from "./payload.ts";

/** Bytes before each message: a flag and a 32-bit big-endian length (gRPC over HTTP/2, Length-Prefixed-Message). */
export const messagePrefixBytes = 5;

/** The largest message that the length field can announce. */
export const maxAnnouncedMessageBytes = 0xffff_ffff;

/**
 * Smallest buffer for a message that arrives in pieces. It is small because a peer may announce 4 MiB on every stream and
 * then send a single byte.
 */
const minGatherBytes = 1024;

/**
 * How the buffer grows. What is held stays within this factor of what has come; growing by two would copy a large message
 * as a whole once more.
 */
const growthFactor = 4;

/** Receives the messages that a MessageReader finds. */
export interface MessageSink {
  /**
   * One message. It is borrowed where it lies in the pushed bytes; it is owned where it was gathered from several.
   *
   * May call `halt()` on the reader that is calling. Must not call `push`.
   */
  onMessage(payload: Payload): void;
}

/** The message that is handed on. One for all readers: each would hold back the chunk in which its last message came. */
const found = new Payload();

/** Turns the bytes of DATA frames into messages, whatever way they were cut. */
export class MessageReader {
  readonly #sink: MessageSink;
  readonly #maxMessageBytes: number;
  #halted = false;
  /** Bytes of the current prefix seen so far. Stays at 5 while the message itself is being gathered. */
  #prefixFilled = 0;
  #flag = 0;
  /** Length announced by the current prefix; partial while the prefix is incomplete. */
  #announced = 0;
  #gather: Uint8Array = noBytes;
  #gathered = 0;
  /** Size of the gathering buffer while it is not a lent one. */
  #ownBytes = 0;

  /** @param maxMessageBytes limit for the announced length of one message, as it lies on the wire */
  constructor(sink: MessageSink, maxMessageBytes: number) {
    this.#sink = sink;
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** False at END_STREAM means that the stream ended inside a message. */
  get isBetweenMessages(): boolean {
    return this.#prefixFilled === 0;
  }

  /** Ignores everything pushed from now on and frees what was gathered: the call is over. */
  halt(): void {
    this.#halted = true;
    this.#giveUpGather();
    this.#gather = noBytes;
  }

  /**
   * Reads bytes `start` to `end` of `bytes` and hands on each message they complete. An error is returned once; the reader
   * is halted then, because messages after an invalid prefix cannot be found.
   */
  push(bytes: Uint8Array, start: number, end: number): ConnectError | undefined {
    let at = start;
    while (at < end && !this.#halted) {
      if (this.#prefixFilled === 0 && end - at >= messagePrefixBytes) {
        // The usual case: a whole prefix at once, and mostly the whole message after it.
        this.#flag = bytes[at] as number;
        this.#announced = readUint32(bytes, at + 1);
        at += messagePrefixBytes;
        this.#prefixFilled = messagePrefixBytes;
      } else if (this.#prefixFilled < messagePrefixBytes) {
        const byte = bytes[at++] as number;
        if (this.#prefixFilled === 0) {
          this.#flag = byte;
          this.#announced = 0;
        } else {
          // Multiplication, because << would turn lengths from 2 GiB on negative.
          this.#announced = this.#announced * 256 + byte;
        }
        this.#prefixFilled++;
        if (this.#prefixFilled < messagePrefixBytes) continue;
      } else {
        at = this.#gatherFrom(bytes, at, end);
        continue;
      }

      // The prefix has just become complete.
      if (this.#flag > 1 || this.#announced > this.#maxMessageBytes) return this.#refuse();
      const messageEnd = at + this.#announced;
      if (messageEnd <= end) {
        this.#prefixFilled = 0;
        this.#sink.onMessage(found.borrow(bytes, at, messageEnd, this.#flag === 1));
        at = messageEnd;
      }
    }
    return undefined;
  }

  #gatherFrom(bytes: Uint8Array, start: number, end: number): number {
    const taken = Math.min(end - start, this.#announced - this.#gathered);
    const needed = this.#gathered + taken;
    if (needed > this.#gather.length) this.#growGather(needed);
    copyInto(this.#gather, this.#gathered, bytes, start, start + taken);
    this.#gathered = needed;
    if (needed === this.#announced) {
      const message = this.#gather;
      this.#gather = noBytes;
      this.#endOwn();
      this.#gathered = 0;
      this.#prefixFilled = 0;
      this.#sink.onMessage(found.whole(message, this.#flag === 1, true));
      // It may be large.
      found.clear();
    }
    return start + taken;
  }

  /** The buffer in which a message becomes complete is its own; the buffers before it are lent and reused. */
  #growGather(needed: number): void {
    const next = Math.max(growthFactor * needed, minGatherBytes);
    const lent = next < this.#announced ? takeGatherSlab(needed, this.#announced) : undefined;
    // Unpooled, so that a message kept by the application does not retain other memory. It is used only once it is full.
    const grown = lent ?? new Uint8Array(Buffer.allocUnsafeSlow(Math.min(next, this.#announced)).buffer);
    grown.set(this.#gather.subarray(0, this.#gathered));
    this.#giveUpGather();
    if (lent === undefined) {
      this.#ownBytes = grown.length;
      gatheringBegan(grown.length);
    }
    this.#gather = grown;
  }

  /** The buffer is not passed on. */
  #giveUpGather(): void {
    giveGatherSlab(this.#gather);
    reportExternalBytes(this.#ownBytes);
    this.#endOwn();
  }

  #endOwn(): void {
    if (this.#ownBytes === 0) return;
    gatheringEnded(this.#ownBytes);
    this.#ownBytes = 0;
  }

  #refuse(): ConnectError {
    this.halt();
    return this.#flag > 1
      ? new ConnectError(`message flag is ${this.#flag}, but only 0 and 1 are defined`, Code.Internal)
      : new ConnectError(
          `message of ${this.#announced} bytes exceeds the limit of ${this.#maxMessageBytes} bytes`,
          Code.ResourceExhausted,
        );
  }
}

/** Writes the five bytes that go before a message. `messageBytes` is at most `maxAnnouncedMessageBytes`. */
export function writeMessagePrefix(
  target: Uint8Array,
  offset: number,
  compressed: boolean,
  messageBytes: number,
): void {
  target[offset] = compressed ? 1 : 0;
  target[offset + 1] = messageBytes >>> 24;
  target[offset + 2] = messageBytes >>> 16;
  target[offset + 3] = messageBytes >>> 8;
  target[offset + 4] = messageBytes;
}

/** A message and its prefix, in memory of their own. */
export function frameMessage(payload: Payload): Uint8Array {
  const framed = Buffer.allocUnsafe(messagePrefixBytes + payload.length);
  writeMessagePrefix(framed, 0, payload.compressed, payload.length);
  payload.copyTo(framed, messagePrefixBytes);
  return framed;
}

const noBytes = new Uint8Array(0);

function readUint32(bytes: Uint8Array, offset: number): number {
  return (
    (((bytes[offset] as number) << 24) |
      ((bytes[offset + 1] as number) << 16) |
      ((bytes[offset + 2] as number) << 8) |
      (bytes[offset + 3] as number)) >>>
    0
  );
}

function copyInto(target: Uint8Array, offset: number, source: Uint8Array, start: number, end: number): void {
  if (end - start < 32) {
    // Cheaper than making a view for a few bytes.
    for (let at = start; at < end; at++) target[offset + at - start] = source[at] as number;
  } else {
    target.set(source.subarray(start, end), offset);
  }
}
