import { WireType } from "@bufbuild/protobuf/wire";
import { MemoryBudget } from "../size/memory-budget.ts";
import { memoryCosts } from "../size/memory-costs.ts";

/** Of messages and groups within each other, as in protobuf-es. */
export const maxDepth = 100;

const noBytes = new Uint8Array(0);

/** Skips fields of a message. The caller pays for the field itself; those within an unknown group are paid for here. */
export class FieldSkipper extends MemoryBudget {
  input: Uint8Array = noBytes;

  /**
   * Returns where the value ends whose tag ends at `at`, or -1 when it is malformed or leads beyond `end`.
   *
   * @param groupsLeft how many groups may be within each other here
   * @throws overBudget
   */
  skipField(at: number, tag: number, end: number, groupsLeft: number): number {
    switch (tag & 7) {
      case WireType.Varint:
        return skipVarint(this.input, at, end);
      case WireType.Bit64:
        return at + 8 > end ? -1 : at + 8;
      case WireType.Bit32:
        return at + 4 > end ? -1 : at + 4;
      case WireType.LengthDelimited:
        return skipLengthDelimited(this.input, at, end);
      case WireType.StartGroup:
        return groupsLeft > 0 ? this.#skipGroup(at, tag, end, groupsLeft - 1) : -1;
      default:
        return -1;
    }
  }

  #skipGroup(start: number, startTag: number, end: number, groupsLeft: number): number {
    const bytes = this.input;
    // The end's tag differs from the start's by its wire type, 4 instead of 3.
    const endTag = startTag + 1;
    for (let at = start; ; ) {
      const value = skipVarint32(bytes, at, end);
      if (value < 0 || !isTag(bytes, at, value)) return -1;
      const tag = varint32(bytes, at, value);
      if (tag === endTag) return value;
      at = this.skipField(value, tag, end, groupsLeft);
      if (at < 0) return -1;
      this.left -= memoryCosts.droppedField;
      if (this.left < 0) this.extend(at);
    }
  }
}

/** As protobuf-es does, which takes an unknown varint of any length. */
export function skipVarint(bytes: Uint8Array, at: number, end: number): number {
  while (at < end) {
    if ((bytes[at++] as number) < 0x80) return at;
  }
  return -1;
}

function skipLengthDelimited(bytes: Uint8Array, at: number, end: number): number {
  const last = skipVarint32(bytes, at, end);
  if (last < 0) return -1;
  const next = last + varint32(bytes, at, last);
  return next > end ? -1 : next;
}

/** Returns where a varint ends of which 32 bits count; it may have 10 bytes. -1 when it is malformed. */
export function skipVarint32(bytes: Uint8Array, at: number, end: number): number {
  const next = skipVarint(bytes, at, end);
  return next - at > 10 ? -1 : next;
}

/** The value of a varint from `at` to `end`, of which 32 bits count. */
export function varint32(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  for (let shift = 0; shift < 35 && at < end; shift += 7) value |= ((bytes[at++] as number) & 0x7f) << shift;
  return value >>> 0;
}

/** Whether the varint from `at` to `end` can be a tag: 32 bits at most, with a field number. */
export function isTag(bytes: Uint8Array, at: number, end: number): boolean {
  const length = end - at;
  return length <= 5 && (length < 5 || (bytes[end - 1] as number) <= 0x0f) && varint32(bytes, at, end) >>> 3 !== 0;
}
