import type { Message, UnknownField } from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";

const unknownFields: unique symbol = Symbol("unknown fields");

type WithUnknownFields = Message & { [unknownFields]?: UnknownFields };

/** `$unknown` of every message that keeps unknown fields: one pair of functions, so that V8 shares the shape of these messages. */
const accessor: PropertyDescriptor & ThisType<WithUnknownFields> = {
  configurable: true,
  enumerable: true,
  get() {
    return this[unknownFields]?.list();
  },
  set(fields: UnknownField[] | undefined) {
    this[unknownFields]?.replace(fields);
  },
};

/**
 * Keeps the part of `bytes` from `start` to `end`, which holds whole fields, as unknown fields of the message. It costs no object
 * for each field until something reads `$unknown`: then the message gets the list that protobuf-es would have made.
 */
export function keepUnknownFields(message: Message, bytes: Uint8Array, start: number, end: number): void {
  let kept = (message as WithUnknownFields)[unknownFields];
  if (kept === undefined) {
    kept = new UnknownFields(bytes);
    // Not enumerable, so that a copy by spreading or structuredClone takes the list and not this.
    Object.defineProperty(message, unknownFields, { value: kept });
    Object.defineProperty(message, "$unknown", accessor);
  }
  kept.add(start, end);
}

/** The unknown fields of one message: kept as parts of its input until the list is first read. */
class UnknownFields {
  readonly #bytes: Uint8Array;
  /** Where each part begins and ends. Neighbours are one part. */
  #parts: number[] = [];
  #list: UnknownField[] | undefined;
  #isList = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  add(start: number, end: number): void {
    const parts = this.#parts;
    if (parts.at(-1) === start) parts[parts.length - 1] = end;
    else parts.push(start, end);
  }

  list(): UnknownField[] | undefined {
    if (!this.#isList) this.replace(this.#read());
    return this.#list;
  }

  replace(fields: UnknownField[] | undefined): void {
    this.#list = fields;
    this.#isList = true;
    this.#parts = [];
  }

  #read(): UnknownField[] {
    const { buffer, byteOffset, length } = this.#bytes;
    // A Buffer's parts would be Buffers.
    const reader = new BinaryReader(new Uint8Array(buffer, byteOffset, length));
    const fields: UnknownField[] = [];
    for (let n = 0; n < this.#parts.length; n += 2) {
      reader.pos = this.#parts[n] as number;
      const end = this.#parts[n + 1] as number;
      while (reader.pos < end) {
        const [no, wireType] = reader.tag();
        fields.push({ no, wireType, data: reader.skip(wireType, no) });
      }
    }
    return fields;
  }
}
