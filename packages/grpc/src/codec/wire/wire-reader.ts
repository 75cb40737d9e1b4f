import { isUtf8 } from "node:buffer";
import type { Message } from "@bufbuild/protobuf";
import { getTextEncoding } from "@bufbuild/protobuf/wire";
import type { Payload } from "../../protocol/payload.ts";
import { memoryCosts } from "../size/memory-costs.ts";
import { copyBytes } from "./copy-bytes.ts";
import { FieldSkipper, maxDepth } from "./skip-field.ts";
import { keepUnknownFields } from "./unknown-fields.ts";

/**
 * Thrown for input that is not the plain case: broken, or with rarely used features. Without a trace of its own: it is caught
 * close by, and protobuf-es then reads the message or finds the words for what is wrong with it.
 */
export const oddInput: unique symbol = Symbol("input is not a plain message");

const noBytes = new Uint8Array(0);

/** Node's own conversion, for any Uint8Array. For less than 200 bytes it takes half of a TextDecoder's time. */
const utf8Slice = Buffer.prototype.utf8Slice as (this: Uint8Array, start: number, end: number) => string;

/** Eight bytes seen as the numbers they may hold. Bytes are put in by value, so that the machine's order does not matter. */
const scratch = new DataView(new ArrayBuffer(8));

/** The 64-bit integers of one byte, which are most of them. */
export const smallIntegers: readonly bigint[] = Array.from({ length: 128 }, (_, value) => BigInt(value));

/** The same for sint64, which counts 0, -1, 1, -2 and so on. */
export const smallSigned: readonly bigint[] = smallIntegers.map((value) => (value >> 1n) ^ -(value & 1n));

/**
 * Reads the values of protobuf's wire format wherever one byte does not decide it; what one byte decides, compiled readers do
 * in place. Each method that moves takes the end of the value's message, and throws `oddInput` instead of reading beyond it.
 */
export class WireReader extends FieldSkipper {
  /** Where the next value begins. Compiled readers keep it to themselves and store it before they call. */
  at = 0;
  /** Where the message ends. */
  end = 0;
  keepUnknownFields = true;
  #isBorrowed = false;

  /** @param maxDecodedBytes see MemoryBudget */
  start(bytes: Uint8Array, keepUnknownFields: boolean, maxDecodedBytes: number): void {
    this.startBudget(maxDecodedBytes);
    this.input = bytes;
    this.at = 0;
    this.end = bytes.length;
    this.keepUnknownFields = keepUnknownFields;
    this.#isBorrowed = false;
    this.#view = undefined;
  }

  /**
   * As `start`, for a part of a buffer. Where that is used again once the message has been read, unknown fields that are to be kept are odd input.
   */
  startInPlace({ bytes, start, end, owned }: Payload, keepUnknownFields: boolean, maxDecodedBytes: number): void {
    this.startBudget(maxDecodedBytes, start);
    this.input = bytes;
    this.at = start;
    this.end = end;
    this.keepUnknownFields = keepUnknownFields;
    this.#isBorrowed = !owned;
    this.#view = undefined;
  }

  /** Forgets the input, which may be large. */
  finish(): void {
    this.input = noBytes;
    this.#view = undefined;
  }

  tag(end: number): number {
    const start = this.at;
    const tag = this.uint32(end);
    const bytes = this.at - start;
    if (bytes > 5 || (bytes === 5 && (this.input[this.at - 1] as number) > 0x0f)) throw oddInput;
    return tag;
  }

  /** A varint of which the lowest 32 bits count: negative int32 are written with 64. */
  uint32(end: number): number {
    const bytes = this.input;
    const at = this.at;
    if (end - at < 5) return this.#uint32NearEnd(end);
    let byte = bytes[at] as number;
    let value = byte & 0x7f;
    if (byte < 0x80) return this.#found(at + 1, value);
    byte = bytes[at + 1] as number;
    value |= (byte & 0x7f) << 7;
    if (byte < 0x80) return this.#found(at + 2, value);
    byte = bytes[at + 2] as number;
    value |= (byte & 0x7f) << 14;
    if (byte < 0x80) return this.#found(at + 3, value);
    byte = bytes[at + 3] as number;
    value |= (byte & 0x7f) << 21;
    if (byte < 0x80) return this.#found(at + 4, value);
    byte = bytes[at + 4] as number;
    value = (value | (byte << 28)) >>> 0;
    if (byte < 0x80) return this.#found(at + 5, value);
    const last = Math.min(end, at + 10);
    for (let next = at + 5; next < last; next++) {
      if ((bytes[next] as number) < 0x80) return this.#found(next + 1, value);
    }
    throw oddInput;
  }

  int64(end: number): bigint {
    this.#varint64(end);
    return this.#high === 0 && this.#low >>> 0 < 128
      ? (smallIntegers[this.#low] as bigint)
      : signed(this.#low, this.#high);
  }

  uint64(end: number): bigint {
    this.#varint64(end);
    return this.#high === 0 && this.#low >>> 0 < 128
      ? (smallIntegers[this.#low] as bigint)
      : unsigned(this.#low, this.#high);
  }

  sint64(end: number): bigint {
    this.#varint64(end);
    const sign = -(this.#low & 1);
    return signed(((this.#low >>> 1) | (this.#high << 31)) ^ sign, (this.#high >>> 1) ^ sign);
  }

  /** A varint, which may be as long as one of 64 bits. */
  bool(end: number): boolean {
    this.#varint64(end);
    return this.#low !== 0 || this.#high !== 0;
  }

  sfixed32(end: number): number {
    const at = this.at;
    if (end - at < 4) throw oddInput;
    this.at = at + 4;
    return word(this.input, at);
  }

  fixed32(end: number): number {
    return this.sfixed32(end) >>> 0;
  }

  sfixed64(end: number): bigint {
    const at = this.at;
    if (end - at < 8) throw oddInput;
    this.at = at + 8;
    return signed(word(this.input, at), word(this.input, at + 4));
  }

  fixed64(end: number): bigint {
    const at = this.at;
    if (end - at < 8) throw oddInput;
    this.at = at + 8;
    return unsigned(word(this.input, at), word(this.input, at + 4));
  }

  float(end: number): number {
    scratch.setInt32(0, this.sfixed32(end));
    return scratch.getFloat32(0);
  }

  double(end: number): number {
    const at = this.at;
    if (end - at < 8) throw oddInput;
    this.at = at + 8;
    scratch.setInt32(4, word(this.input, at));
    scratch.setInt32(0, word(this.input, at + 4));
    return scratch.getFloat64(0);
  }

  /** The bytes as numbers of fixed size. Making it takes longer than reading a number without it, and pays for many. */
  view(): DataView {
    const { buffer, byteOffset, length } = this.input;
    this.#view ??= new DataView(buffer, byteOffset, length);
    return this.#view;
  }

  /** Moves past a length prefix and returns where the value that it measures ends. */
  lengthDelimited(end: number): number {
    const length = this.uint32(end);
    if (length > end - this.at) throw oddInput;
    return this.at + length;
  }

  /** @param isStrict refuse what is not UTF-8, instead of replacing it */
  text(start: number, end: number, isStrict: boolean): string {
    const text = utf8Slice.call(this.input, start, end);
    if (!text.includes("\ufffd")) return text;
    // Either the sender wrote that mark, or it replaces bytes that are not UTF-8.
    const bytes = this.#viewOf(start, end);
    if (!isStrict) return getTextEncoding().decodeUtf8(bytes, false);
    if (!isUtf8(bytes)) throw oddInput;
    return text;
  }

  /** The value of a bytes field: a view of the input where that is the message's own. */
  bytes(start: number, end: number): Uint8Array {
    return this.#isBorrowed ? copyBytes(this.input, start, end) : this.#viewOf(start, end);
  }

  /**
   * Skips a field that the schema does not know, and those after it that have the same tag; keeps them where that is wanted, for the
   * price of the objects that they become when something reads `$unknown`.
   *
   * @param depth of the message, 1 for the outermost: groups count as messages
   */
  unknownField(message: Message, tag: number, end: number, depth: number): void {
    if (tag >>> 3 === 0 || (this.keepUnknownFields && this.#isBorrowed)) throw oddInput;
    const bytes = this.input;
    const start = this.keepUnknownFields ? this.#startOfTag(tag) : 0;
    let at = this.at;
    const price = this.keepUnknownFields ? memoryCosts.unknownField : memoryCosts.droppedField;
    do {
      at = this.skipField(at, tag, end, maxDepth - depth);
      if (at < 0) throw oddInput;
      this.left -= price;
      if (this.left < 0) this.extend(at);
    } while (tag < 0x80 && at < end && bytes[at] === tag && at++ > 0);
    this.at = at;
    if (this.keepUnknownFields) keepUnknownFields(message, bytes, start, at);
  }

  #view: DataView | undefined;
  #low = 0;
  #high = 0;

  #viewOf(start: number, end: number): Uint8Array {
    const { buffer, byteOffset } = this.input;
    return new Uint8Array(buffer, byteOffset + start, end - start);
  }

  #found(at: number, value: number): number {
    this.at = at;
    return value;
  }

  #uint32NearEnd(end: number): number {
    const bytes = this.input;
    let at = this.at;
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= end) throw oddInput;
      const byte = bytes[at++] as number;
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return this.#found(at, value >>> 0);
    }
    throw oddInput;
  }

  #varint64(end: number): void {
    const bytes = this.input;
    let at = this.at;
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= end) throw oddInput;
      const byte = bytes[at++] as number;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) {
        this.at = at;
        this.#low = low;
        this.#high = high;
        return;
      }
    }
    throw oddInput;
  }

  /** Where the tag begins that ends here. One with needless bytes is left to protobuf-es, which writes it without them. */
  #startOfTag(tag: number): number {
    const more = tag < 0x80 ? 0 : tag < 0x4000 ? 1 : tag < 0x20_0000 ? 2 : tag < 0x1000_0000 ? 3 : 4;
    if (this.input[this.at - 1] !== tag >>> (7 * more)) throw oddInput;
    return this.at - 1 - more;
  }
}

function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

function signed(low: number, high: number): bigint {
  scratch.setInt32(4, low);
  scratch.setInt32(0, high);
  return scratch.getBigInt64(0);
}

function unsigned(low: number, high: number): bigint {
  scratch.setInt32(4, low);
  scratch.setInt32(0, high);
  return scratch.getBigUint64(0);
}
