import { protoInt64, type UnknownField } from "@bufbuild/protobuf";
import type { Payload, PayloadLender } from "../../protocol/payload.ts";
import { copyBytes } from "./copy-bytes.ts";

/**
 * Size of the buffer that finished messages share. A buffer per message would cost 0.6 µs to make and free, more than writing
 * a small message does. A small message that is kept holds back this much memory; one that does not fit has its own buffer.
 */
const sharedBytes = 16 * 1024;

/** A message from this size on is not lent but given away in a buffer of its own, so that its sender need not copy it. */
const minGivenBytes = 65_536;

/** Room for the messages that are lent, and for what a field may reserve at its end. */
const spareBytes = minGivenBytes + 4096;

/** From this length on a string is measured before room is made for it, instead of assuming three bytes for each unit. */
const minMeasuredUnits = 1024;

/** Strings up to this length are written unit by unit, which for so few is faster than a call into the runtime. */
const maxInlineUnits = 40;

/** Node's own conversion, without the checks of its arguments. */
const utf8Write = Buffer.prototype.utf8Write as unknown as (
  this: Uint8Array,
  text: string,
  start: number,
  maxBytes: number,
) => number;

const scratch = new DataView(new ArrayBuffer(8));

/**
 * Thrown for a value that is not what its field's type promises. Without a trace of its own: it is caught close by, and the
 * general encoder then finds the words for it.
 */
export const oddValue: unique symbol = Symbol("value does not fit its field");

/**
 * Writes protobuf's wire format, one message after the other, into a shared buffer.
 *
 * It takes the plain case of each value and throws `oddValue` for everything else.
 */
export class WireWriter implements PayloadLender {
  #buffer = new Uint8Array(sharedBytes);
  #view = new DataView(this.#buffer.buffer);
  #start = 0;
  #at = 0;
  /** The shared buffer and where it is free, while a large message has a buffer of its own. */
  #shared = this.#buffer;
  #sharedView = this.#view;
  #sharedStart = 0;
  /** For messages that do not fit the shared buffer and are not given away; undefined while one is lent, and before the first. */
  #spare: Uint8Array<ArrayBuffer> | undefined = undefined;

  /** Ends the message and returns its bytes. The next one begins after them. */
  finish(): Uint8Array {
    const isSpare = this.#buffer.length === spareBytes;
    // A copy of the size of the message, which may be kept: the buffer is many times as large, and used again.
    const bytes = isSpare
      ? new Uint8Array(this.#buffer.subarray(this.#start, this.#at))
      : new Uint8Array(this.#buffer.buffer, this.#start, this.#at - this.#start);
    if (isSpare) this.#spare = this.#buffer;
    this.#startAfter(this.#at);
    return bytes;
  }

  /**
   * Ends the message like `finish`, without the view of it that would cost more than to write a small message. Its memory is used for the next
   * message once `payload` is cleared.
   */
  lend(payload: Payload): void {
    if (this.#at - this.#start >= minGivenBytes) {
      payload.whole(this.finish(), false, true);
      return;
    }
    payload.lend(this, this.#buffer, this.#start, this.#at);
    this.#startAfter(this.#at);
  }

  readonly copy = copyBytes;

  /** The payload has left. Its memory is reused, unless another message was written after it. */
  takeBack({ bytes, start, end }: Payload): void {
    if (bytes.length === spareBytes) this.#spare = bytes as Uint8Array<ArrayBuffer>;
    if (bytes !== this.#buffer || end !== this.#start || this.#at !== end) return;
    this.#start = start;
    this.#at = start;
  }

  /** Forgets what was written of an unfinished message. */
  abandon(): void {
    if (this.#buffer.length === spareBytes) this.#spare = this.#buffer;
    this.#startAfter(this.#start);
  }

  /** @param tag field number and wire type as one number */
  tag(tag: number): void {
    this.#reserve(5);
    this.#varint32(tag);
  }

  unknownFields(fields: readonly UnknownField[]): void {
    for (const { no, wireType, data } of fields) {
      this.uint32(((no << 3) | wireType) >>> 0);
      this.raw(data);
    }
  }

  raw(bytes: Uint8Array): void {
    if (!(bytes instanceof Uint8Array)) throw oddValue;
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  uint32(value: number): void {
    if (value >>> 0 !== value) throw oddValue;
    this.#reserve(5);
    this.#varint32(value);
  }

  int32(value: number): void {
    if ((value | 0) !== value) throw oddValue;
    // Negative numbers are written as if they had 64 bits.
    if (value < 0) this.#varint64(value, -1);
    else this.uint32(value);
  }

  sint32(value: number): void {
    if ((value | 0) !== value) throw oddValue;
    this.uint32(((value << 1) ^ (value >> 31)) >>> 0);
  }

  int64(value: bigint | number | string): void {
    splitSigned(value);
    this.#varint64(scratch.getInt32(4), scratch.getInt32(0));
  }

  uint64(value: bigint | number | string): void {
    splitUnsigned(value);
    this.#varint64(scratch.getInt32(4), scratch.getInt32(0));
  }

  sint64(value: bigint | number | string): void {
    splitSigned(value);
    const lo = scratch.getInt32(4);
    const hi = scratch.getInt32(0);
    const sign = hi >> 31;
    this.#varint64((lo << 1) ^ sign, ((hi << 1) | (lo >>> 31)) ^ sign);
  }

  bool(value: boolean): void {
    if (typeof value !== "boolean") throw oddValue;
    this.#reserve(1);
    this.#buffer[this.#at++] = value ? 1 : 0;
  }

  fixed32(value: number): void {
    if (value >>> 0 !== value) throw oddValue;
    this.#fixed(value);
  }

  sfixed32(value: number): void {
    if ((value | 0) !== value) throw oddValue;
    this.#fixed(value);
  }

  fixed64(value: bigint | number | string): void {
    splitUnsigned(value);
    this.#fixed(scratch.getInt32(4));
    this.#fixed(scratch.getInt32(0));
  }

  sfixed64(value: bigint | number | string): void {
    splitSigned(value);
    this.#fixed(scratch.getInt32(4));
    this.#fixed(scratch.getInt32(0));
  }

  float(value: number): void {
    // A number that only rounding would make infinite is refused by the general encoder.
    if (typeof value !== "number" || (Number.isFinite(value) && !Number.isFinite(Math.fround(value)))) throw oddValue;
    this.#reserve(4);
    this.#view.setFloat32(this.#at, value, true);
    this.#at += 4;
  }

  double(value: number): void {
    if (typeof value !== "number") throw oddValue;
    this.#reserve(8);
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  bytes(value: Uint8Array): void {
    if (!(value instanceof Uint8Array)) throw oddValue;
    this.uint32(value.length);
    this.raw(value);
  }

  string(value: string): void {
    if (typeof value !== "string") throw oddValue;
    const length = value.length;
    // A unit of UTF-16 takes three bytes at most.
    this.#reserve(5 + (length < minMeasuredUnits ? 3 * length : Buffer.byteLength(value, "utf8")));
    if (length > maxInlineUnits || !this.#asciiString(value, length)) this.#utf8String(value, length);
  }

  /** Begins a length-delimited value and returns what `join` needs to end it. */
  fork(): number {
    this.#reserve(1);
    this.#at++;
    // Relative, because a growing message moves to another buffer.
    return this.#at - this.#start;
  }

  join(fork: number): void {
    let contentStart = this.#start + fork;
    const length = this.#at - contentStart;
    const prefixBytes = varintBytes(length);
    if (prefixBytes > 1) {
      // One byte was left for the length, which is right for most values. This one has to move.
      this.#reserve(prefixBytes - 1);
      contentStart = this.#start + fork;
      this.#buffer.copyWithin(contentStart + prefixBytes - 1, contentStart, this.#at);
    }
    // No reserving here: there is room for the length, and a move to another buffer would lose the content.
    this.#at = contentStart - 1;
    this.#varint32(length);
    this.#at += length;
  }

  #asciiString(value: string, length: number): boolean {
    const buffer = this.#buffer;
    const start = this.#at + 1;
    for (let index = 0; index < length; index++) {
      const unit = value.charCodeAt(index);
      if (unit > 0x7f) return false;
      buffer[start + index] = unit;
    }
    buffer[this.#at] = length;
    this.#at = start + length;
    return true;
  }

  #utf8String(value: string, length: number): void {
    const guessedBytes = varintBytes(length);
    const start = this.#at + guessedBytes;
    const written = utf8Write.call(this.#buffer, value, start, this.#buffer.length - start);
    const prefixBytes = varintBytes(written);
    if (prefixBytes !== guessedBytes) {
      this.#buffer.copyWithin(this.#at + prefixBytes, start, start + written);
    }
    this.uint32(written);
    this.#at += written;
  }

  #varint32(value: number): void {
    while (value > 0x7f) {
      this.#buffer[this.#at++] = (value & 0x7f) | 0x80;
      value >>>= 7;
    }
    this.#buffer[this.#at++] = value;
  }

  #varint64(lo: number, hi: number): void {
    this.#reserve(10);
    let low = lo >>> 0;
    let high = hi >>> 0;
    while (high !== 0 || low > 0x7f) {
      this.#buffer[this.#at++] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    this.#buffer[this.#at++] = low;
  }

  #fixed(bits: number): void {
    this.#reserve(4);
    this.#view.setInt32(this.#at, bits, true);
    this.#at += 4;
  }

  #startAfter(end: number): void {
    if (this.#buffer !== this.#shared) {
      // Small messages in the rest of a large buffer would keep all of it alive.
      this.#buffer = this.#shared;
      this.#view = this.#sharedView;
      end = this.#sharedStart;
    }
    this.#start = end;
    this.#at = end;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes > this.#buffer.length) this.#move(bytes);
  }

  /** Moves the unfinished message to a new buffer with room for more. Finished ones keep the old buffer. */
  #move(bytes: number): void {
    const written = this.#at - this.#start;
    const needed = written + bytes;
    const begun = this.#buffer.subarray(this.#start, this.#at);
    if (needed > sharedBytes) {
      if (this.#buffer === this.#shared) this.#sharedStart = this.#start;
      this.#buffer = this.#largeBuffer(needed, 2 * written);
      this.#view = new DataView(this.#buffer.buffer);
    } else {
      this.#buffer = new Uint8Array(sharedBytes);
      this.#view = new DataView(this.#buffer.buffer);
      this.#shared = this.#buffer;
      this.#sharedView = this.#view;
    }
    this.#buffer.set(begun);
    this.#start = 0;
    this.#at = written;
  }

  /** Not filled with zeros first: only what has been written is ever shown. */
  #largeBuffer(needed: number, wanted: number): Uint8Array<ArrayBuffer> {
    if (this.#buffer.length === spareBytes) this.#spare = this.#buffer;
    if (needed <= spareBytes) {
      const spare = this.#spare ?? new Uint8Array(Buffer.allocUnsafeSlow(spareBytes).buffer);
      this.#spare = undefined;
      return spare;
    }
    const bytes = Math.max(needed, wanted);
    return new Uint8Array(Buffer.allocUnsafeSlow(bytes === spareBytes ? bytes + 1 : bytes).buffer);
  }
}

/** Puts the halves of a 64-bit value into `scratch`. A value that is not a bigint is rare, and protobuf-es knows what it means. */
function splitSigned(value: bigint | number | string): void {
  const integer = typeof value === "bigint" ? value : protoInt64.parse(value);
  if (BigInt.asIntN(64, integer as bigint) !== integer) throw oddValue;
  scratch.setBigInt64(0, integer);
}

function splitUnsigned(value: bigint | number | string): void {
  const integer = typeof value === "bigint" ? value : protoInt64.uParse(value);
  if (BigInt.asUintN(64, integer as bigint) !== integer) throw oddValue;
  scratch.setBigUint64(0, integer);
}

function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}
