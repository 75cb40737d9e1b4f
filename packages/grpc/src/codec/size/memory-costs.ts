import { create, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";

/**
 * Bytes that V8 takes for what messages are made of, measured with Node 24. What takes less than about 16 times its bytes on the
 * wire whatever a sender does is not in here: numbers and text.
 */
export const memoryCosts = {
  /** Map, properties and elements of an object, and its place in a list that has room to grow. */
  object: 36,
  property: 8,
  list: 32,
  emptyObject: 56,
  oneof: 40,
  /** The first properties that an object gets after it was made. */
  laterProperties: 40,
  /** A view of the input, for `bytes`. */
  view: 116,
  /** An entry of a map, with its key. */
  mapEntry: 96,
  /** A 64-bit integer in a list: a text or, where protobuf-es reads it, a BigInt. Generated readers share those of one byte. */
  long: 36,
  /** An entry of `$unknown` and its view. */
  unknownField: 160,
  /** An unknown field that is dropped, or is in an unknown group. It takes time and not memory, and a price bounds the number of them. */
  droppedField: 64,
  /** A number that a closed enum does not have: an unknown field, which protobuf-es copies. */
  unknownNumber: 264,
} as const;

/** How the value of a field is found in the input, and what it takes in memory. */
export interface FieldCost {
  readonly kind: "varint" | "32 bit" | "64 bit" | "text" | "bytes" | "message" | "group" | "map";
  /** For each value; of a message without what is in it. */
  readonly bytes: number;
  /** A list of numbers, which may come packed. */
  readonly isPackable: boolean;
  readonly message: MessageCost | undefined;
  /** The numbers of a closed enum. Others become unknown fields, except in lists and maps. */
  readonly knownNumbers: ReadonlySet<number> | undefined;
  /** Of a map. */
  readonly key: FieldCost | undefined;
  readonly value: FieldCost | undefined;
}

export class MessageCost {
  /** Of a message without any field. */
  readonly bytes: number;
  readonly #schema: DescMessage;
  #fields: Map<number, FieldCost> | undefined;
  #fieldsByName: Map<string, FieldCost> | undefined;
  #highest: number | undefined;

  constructor(schema: DescMessage) {
    this.#schema = schema;
    const zero = create(schema);
    let bytes: number = memoryCosts.object;
    for (const value of Object.values(zero)) bytes += memoryCosts.property + bytesOfZero(value);
    if (schema.members.some(({ localName }) => !Object.hasOwn(zero, localName))) bytes += memoryCosts.laterProperties;
    this.bytes = bytes;
  }

  /** By field number. */
  get fields(): ReadonlyMap<number, FieldCost> {
    this.#fields ??= new Map(this.#schema.fields.map((field) => [field.number, costOfField(field)]));
    return this.#fields;
  }

  /** By the names that a field may have in JSON. */
  get fieldsByName(): ReadonlyMap<string, FieldCost> {
    if (this.#fieldsByName === undefined) {
      this.#fieldsByName = new Map();
      for (const { name, jsonName, number } of this.#schema.fields) {
        const cost = this.fields.get(number) as FieldCost;
        this.#fieldsByName.set(name, cost).set(jsonName, cost);
      }
    }
    return this.#fieldsByName;
  }

  get typeName(): string {
    return this.#schema.typeName;
  }

  /** The most memory that anything within such a message takes for each byte of input, unknown fields excepted. */
  get highestPerByte(): number {
    if (this.#highest === undefined) {
      let highest = 0;
      const seen = new Set<MessageCost>();
      const visit = (cost: MessageCost): void => {
        if (seen.has(cost)) return;
        seen.add(cost);
        for (const field of cost.fields.values()) {
          const ofNumber = field.knownNumbers === undefined ? 0 : memoryCosts.unknownNumber;
          const bytes = field.bytes + ofNumber + (field.value?.bytes ?? 0);
          // A field takes a tag and a length or value, an item of a packed list as little as a byte.
          highest = Math.max(highest, field.isPackable ? bytes : bytes / 2);
          const message = field.message ?? field.value?.message;
          if (message !== undefined) visit(message);
        }
      };
      visit(this);
      this.#highest = highest;
    }
    return this.#highest;
  }
}

const costs = new WeakMap<DescMessage, MessageCost>();

export function costOfMessage(schema: DescMessage): MessageCost {
  let cost = costs.get(schema);
  if (cost === undefined) {
    cost = new MessageCost(schema);
    costs.set(schema, cost);
  }
  return cost;
}

function bytesOfZero(value: unknown): number {
  if (Array.isArray(value)) return memoryCosts.list;
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return 0;
  return "case" in value ? memoryCosts.oneof : memoryCosts.emptyObject;
}

const none = {
  bytes: 0,
  isPackable: false,
  message: undefined,
  knownNumbers: undefined,
  key: undefined,
  value: undefined,
};

function costOfField(field: DescField): FieldCost {
  switch (field.fieldKind) {
    case "message":
      return costOfMessageField(field.message, field.delimitedEncoding);
    case "list": {
      if (field.listKind === "message") return costOfMessageField(field.message, field.delimitedEncoding);
      const item = costOfScalar(field.scalar);
      const bytes = isLongVarint(field.scalar) ? memoryCosts.long : item.bytes;
      return { ...item, bytes, isPackable: item.kind !== "text" && item.kind !== "bytes" };
    }
    case "map": {
      const value = field.mapKind === "message" ? costOfMessageField(field.message, false) : costOfScalar(field.scalar);
      return { ...none, kind: "map", bytes: memoryCosts.mapEntry, key: costOfScalar(field.mapKey), value };
    }
    case "enum": {
      const { open, values } = field.enum;
      return { ...none, kind: "varint", knownNumbers: open ? undefined : new Set(values.map(({ number }) => number)) };
    }
    default:
      return costOfScalar(field.scalar);
  }
}

function costOfMessageField(schema: DescMessage, isGroup: boolean): FieldCost {
  const message = costOfMessage(schema);
  return { ...none, kind: isGroup ? "group" : "message", bytes: message.bytes, message };
}

/** @param type `undefined` for enums */
function costOfScalar(type: ScalarType | undefined): FieldCost {
  switch (type) {
    case ScalarType.STRING:
      return { ...none, kind: "text" };
    case ScalarType.BYTES:
      return { ...none, kind: "bytes", bytes: memoryCosts.view };
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
    case ScalarType.FLOAT:
      return { ...none, kind: "32 bit" };
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
    case ScalarType.DOUBLE:
      return { ...none, kind: "64 bit" };
    default:
      return { ...none, kind: "varint" };
  }
}

function isLongVarint(type: ScalarType | undefined): boolean {
  return type === ScalarType.INT64 || type === ScalarType.UINT64 || type === ScalarType.SINT64;
}
