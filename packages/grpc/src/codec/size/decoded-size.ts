import type { DescMessage } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import { FieldSkipper, isTag, maxDepth, skipVarint, skipVarint32, varint32 } from "../wire/skip-field.ts";
import { costOfMessage, type FieldCost, type MessageCost, memoryCosts } from "./memory-costs.ts";

/** Shorter messages are not estimated: a type would need about a thousand fields to make one of these large. */
export const minEstimatedBytes = 4096;

/** What is not protobuf: protobuf-es will say what is wrong with it. What comes before is counted. */
const malformed: unique symbol = Symbol("malformed message");

/**
 * Counts what protobuf-es would make of `bytes`, before it makes any of it. The rules are those of MemoryBudget and the generated
 * readers; the input is read as protobuf-es does, which ignores the wire type of fields that it knows.
 *
 * @param unknownFieldBytes price of each unknown field
 * @throws overBudget
 */
export function checkDecodedSize(
  schema: DescMessage,
  bytes: Uint8Array,
  unknownFieldBytes: number,
  maxBytes: number,
): void {
  if (bytes.length < minEstimatedBytes) return;
  const cost = costOfMessage(schema);
  if (bytes.length * Math.max(cost.highestPerByte, unknownFieldBytes / 2) <= maxBytes) return;
  try {
    new Estimate(bytes, unknownFieldBytes, maxBytes).addFields(cost, bytes.length, notAGroup, 1);
  } catch (thrown) {
    if (thrown !== malformed) throw thrown;
  }
}

const notAGroup = -1;

class Estimate extends FieldSkipper {
  readonly #unknownFieldBytes: number;
  #at = 0;

  constructor(bytes: Uint8Array, unknownFieldBytes: number, maxBytes: number) {
    super();
    this.startBudget(maxBytes);
    this.input = bytes;
    this.#unknownFieldBytes = unknownFieldBytes;
  }

  addFields(message: MessageCost, end: number, endTag: number, depth: number): void {
    if (depth > maxDepth) throw malformed;
    const { fields } = message;
    while (this.#at < end) {
      const tag = this.#tag();
      if (endTag !== notAGroup && (tag & 7) === WireType.EndGroup) {
        if (tag === endTag) return;
        throw malformed;
      }
      const field = fields.get(tag >>> 3);
      if (field === undefined) this.#addUnknown(tag, depth);
      else this.#addField(field, tag, depth);
    }
    if (endTag !== notAGroup) throw malformed;
  }

  #addField(field: FieldCost, tag: number, depth: number): void {
    if (field.isPackable && (tag & 7) === WireType.LengthDelimited) {
      const end = this.#lengthEnd();
      if (field.bytes === 0) this.#skipPacked(field.kind, end);
      else while (this.#at < end) this.#addValue(field, tag, depth);
    } else this.#addValue(field, tag, depth);
  }

  /** The last number ends where it ends, even if that is after `end`. */
  #skipPacked(kind: FieldCost["kind"], end: number): void {
    const bytes = this.input;
    const length = end - this.#at;
    if (kind !== "varint") {
      const size = kind === "32 bit" ? 4 : 8;
      this.#moveTo(this.#at + Math.ceil(length / size) * size);
      return;
    }
    this.#moveTo(end);
    if (length > 0 && (bytes[end - 1] as number) >= 0x80) this.#moveTo(skipVarint(bytes, end, bytes.length));
  }

  #addValue(field: FieldCost, tag: number, depth: number): void {
    if (field.bytes !== 0) this.#spend(field.bytes);
    switch (field.kind) {
      case "varint":
        if (field.knownNumbers !== undefined) this.#addNumber(field.knownNumbers);
        else this.#moveTo(skipVarint(this.input, this.#at, this.input.length));
        break;
      case "32 bit":
        this.#moveTo(this.#at + 4);
        break;
      case "64 bit":
        this.#moveTo(this.#at + 8);
        break;
      case "text":
      case "bytes":
        this.#moveTo(this.#lengthEnd());
        break;
      case "message":
        this.addFields(field.message as MessageCost, this.#lengthEnd(), notAGroup, depth + 1);
        break;
      case "group":
        this.addFields(field.message as MessageCost, this.input.length, endTagOf(tag), depth + 1);
        break;
      case "map":
        this.#addMapEntry(field.key as FieldCost, field.value as FieldCost, depth);
    }
  }

  #addNumber(known: ReadonlySet<number>): void {
    if (!known.has(this.#varint32() | 0)) this.#spend(memoryCosts.unknownNumber);
  }

  #addMapEntry(key: FieldCost, value: FieldCost, depth: number): void {
    const end = this.#lengthEnd();
    let hasValue = false;
    while (this.#at < end) {
      const tag = this.#tag();
      if (tag >>> 3 === 1) this.#addValue(key, tag, depth);
      else if (tag >>> 3 === 2) {
        this.#addValue(value, tag, depth);
        hasValue = true;
      } else {
        this.#spend(this.#unknownFieldBytes);
        this.#moveTo(this.skipField(this.#at, tag, this.input.length, maxDepth - depth));
      }
    }
    if (!hasValue && value.bytes !== 0) this.#spend(value.bytes);
  }

  #addUnknown(tag: number, depth: number): void {
    const bytes = this.input;
    const { length } = bytes;
    let at = this.#at;
    do {
      this.#spend(this.#unknownFieldBytes);
      at = this.skipField(at, tag, length, maxDepth - depth);
      this.#moveTo(at);
    } while (tag < 0x80 && at < length && bytes[at] === tag && at++ > 0);
  }

  #spend(bytes: number): void {
    this.left -= bytes;
    if (this.left < 0) this.extend(this.#at);
  }

  #tag(): number {
    const start = this.#at;
    const tag = this.#varint32();
    if (!isTag(this.input, start, this.#at)) throw malformed;
    return tag;
  }

  #lengthEnd(): number {
    const length = this.#varint32();
    return this.#at + length;
  }

  #varint32(): number {
    const bytes = this.input;
    const start = this.#at;
    const first = bytes[start];
    if (first !== undefined && first < 0x80) {
      this.#at = start + 1;
      return first;
    }
    this.#moveTo(skipVarint32(bytes, start, bytes.length));
    return varint32(bytes, start, this.#at);
  }

  #moveTo(at: number): void {
    if (at < 0 || at > this.input.length) throw malformed;
    this.#at = at;
  }
}

/** A group's end has the number of its beginning, whatever wire type that was said to have. */
function endTagOf(tag: number): number {
  return ((tag & ~7) | WireType.EndGroup) >>> 0;
}
