import { Payload } from "../../protocol/payload.ts";

/** A message that waits in a page has two bytes before it: whether it is compressed, and 15 bits of length. */
const headerBytes = 2;
const compressedFlag = 0x80;

/** Messages from this size on wait in a buffer of their own, which costs little next to them. */
const minAloneBytes = 4 * 1024;

/**
 * Pages begin small, because a peer may leave one tiny message on every stream, and grow by this factor, so that what is held
 * stays within about five times what waits. The largest is all that one small message made from a page can hold back.
 */
const minPageBytes = 256;
const pageGrowth = 4;
const maxPageBytes = 16 * 1024;

interface Page {
  readonly bytes: Uint8Array;
  /** Bytes in use; the whole of a page that is one message. */
  filled: number;
  readonly isOneMessage: boolean;
  readonly isCompressed: boolean;
  next: Page | undefined;
}

/** The message that was taken out last. */
const taken = new Payload();

/**
 * Messages that wait, in order and as they came. An object for each would cost about 90 bytes of heap for the five that an
 * empty message takes on the wire, and a made message can be dozens of times as large as its bytes; so there is an object
 * only for each page of many messages, and for each large message.
 */
export class WaitingMessages {
  #first: Page | undefined = undefined;
  #last: Page | undefined = undefined;
  /** Where in the first page the next message begins. */
  #readAt = 0;
  #payloadBytes = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Bytes of all messages that wait, without what goes before each. */
  get payloadBytes(): number {
    return this.#payloadBytes;
  }

  /** Bytes of the buffers in which they wait. */
  get heldBytes(): number {
    let held = 0;
    for (let page = this.#first; page !== undefined; page = page.next) held += page.bytes.length;
    return held;
  }

  /** The bytes are copied, unless they are owned and the message is large. */
  push({ bytes, start, end, compressed, owned }: Payload): void {
    const length = end - start;
    this.#payloadBytes += length;
    this.#count++;
    if (length >= minAloneBytes) {
      const own = owned ? bytes.subarray(start, end) : new Uint8Array(bytes.subarray(start, end));
      this.#append({ bytes: own, filled: length, isOneMessage: true, isCompressed: compressed, next: undefined });
      return;
    }
    const page = this.#pageFor(headerBytes + length);
    const { bytes: target, filled } = page;
    target[filled] = (length >>> 8) | (compressed ? compressedFlag : 0);
    target[filled + 1] = length;
    const at = filled + headerBytes;
    if (length < 32) {
      // Cheaper than making a view for a few bytes.
      for (let i = 0; i < length; i++) target[at + i] = bytes[start + i] as number;
    } else {
      target.set(bytes.subarray(start, end), at);
    }
    page.filled = at + length;
  }

  /** Takes the first message out; it is owned. Only while there is one. The payload is good until the next is taken out anywhere. */
  shift(): Payload {
    const page = this.#first;
    if (page === undefined) throw new Error("no message waits");
    const { bytes } = page;
    let start = this.#readAt;
    let end = page.filled;
    let isCompressed = page.isCompressed;
    if (!page.isOneMessage) {
      const high = bytes[start] as number;
      isCompressed = high >= compressedFlag;
      const length = ((high & ~compressedFlag) << 8) | (bytes[start + 1] as number);
      start += headerBytes;
      end = start + length;
    }
    this.#payloadBytes -= end - start;
    this.#count--;
    if (end < page.filled) {
      this.#readAt = end;
    } else {
      this.#readAt = 0;
      this.#first = page.next;
      if (this.#first === undefined) this.#last = undefined;
    }
    taken.borrow(bytes, start, end, isCompressed).owned = true;
    return taken;
  }

  clear(): void {
    this.#first = undefined;
    this.#last = undefined;
    this.#readAt = 0;
    this.#payloadBytes = 0;
    this.#count = 0;
  }

  #pageFor(byteCount: number): Page {
    const last = this.#last;
    if (last !== undefined && !last.isOneMessage && last.filled + byteCount <= last.bytes.length) return last;
    const usual = last === undefined || last.isOneMessage ? minPageBytes : pageGrowth * last.bytes.length;
    const bytes = new Uint8Array(Math.max(byteCount, Math.min(usual, maxPageBytes)));
    return this.#append({ bytes, filled: 0, isOneMessage: false, isCompressed: false, next: undefined });
  }

  #append(page: Page): Page {
    if (this.#last === undefined) this.#first = page;
    else this.#last.next = page;
    this.#last = page;
    return page;
  }
}
