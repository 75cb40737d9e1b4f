import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import { isWrapperDesc, FeatureSet_FieldPresence as Presence } from "@bufbuild/protobuf/wkt";
import { wireTypeOf } from "../wire/wire-type.ts";
import { isSet } from "./implicit-presence.ts";
import { isKeptAsJson } from "./reader-source.ts";

/** The text of a program that writes messages of one type, and the types of its fields, in the order of `types`. */
export interface WriterSource {
  /**
   * Body of a function of `types` and `tools`; see message-writer.ts. Names of the schema occur in it only as JSON strings,
   * so that a schema from elsewhere cannot become code.
   */
  readonly text: string;
  readonly types: readonly DescMessage[];
}

/**
 * What a writer takes: messages, or the plain objects that messages can be made from (protobuf-es's `MessageInitShape`), in which every field may be
 * left out, and a message stand for the object.
 */
export type WriterInput = "message" | "init";

/** Writes the writer of a message type: its fields by ascending number, then what it has of unknown fields. */
export function writeWriterSource(schema: DescMessage, input: WriterInput): WriterSource {
  const types: DescMessage[] = [];
  const typeIndex = (type: DescMessage): number => {
    const index = types.indexOf(type);
    return index < 0 ? types.push(type) - 1 : index;
  };
  const fields = schema.fields
    .toSorted((a, b) => a.number - b.number)
    .map((field) => new FieldSource(field, input, typeIndex).text());
  const typeName = JSON.stringify(schema.typeName);
  const text = `"use strict";
const{odd,jsonToStruct,isPlain,hasOwn,isArray}=tools;
${types.map((_, n) => `let write${n};`).join("")}
return(function(w,m){
${input === "message" ? beginOfMessage(typeName) : beginOfInit(typeName)}
let x;
${fields.join("\n")}
${input === "message" ? "if(m.$unknown!==undefined)w.unknownFields(m.$unknown);" : ""}
});`;
  return { text, types };
}

function beginOfMessage(typeName: string): string {
  return `if(m.$typeName!==${typeName})throw odd;
const plain=isPlain(m);`;
}

/** A getter of the prototype, or a class, is left to protobuf-es. */
function beginOfInit(typeName: string): string {
  return `if(typeof m!=="object"||m===null)throw odd;
if(m.$typeName!==undefined){if(m.$typeName!==${typeName})throw odd;writeMessage(w,m);return;}
if(!isPlain(m))throw odd;`;
}

/** Writes the statements of one field, which use `x` for its value and `i` and `k` for items and keys. */
class FieldSource {
  private readonly field: DescField;
  private readonly isInit: boolean;
  private readonly typeIndex: (type: DescMessage) => number;
  private readonly name: string;

  constructor(field: DescField, input: WriterInput, typeIndex: (type: DescMessage) => number) {
    this.field = field;
    this.isInit = input === "init";
    this.typeIndex = typeIndex;
    this.name = JSON.stringify(field.localName);
  }

  text(): string {
    const field = this.field;
    switch (field.fieldKind) {
      case "list":
        return this.list(field);
      case "map":
        return this.map(field);
      default:
        return this.singular(field);
    }
  }

  private singular(field: DescField & { fieldKind: "scalar" | "enum" | "message" }): string {
    const write = this.value(field.number, "x");
    const isThere = this.isInit ? "x!==undefined&&x!==null&&" : "";
    if (field.oneof !== undefined) {
      return `x=m[${JSON.stringify(field.oneof.localName)}];if(${isThere}x.case===${this.name}){x=x.value;${write}}`;
    }
    if (field.presence !== Presence.IMPLICIT) {
      // The prototype may hold the default of a field that is not set.
      const isOwn = this.isInit ? "x!==null" : `(plain||hasOwn(m,${this.name}))`;
      const otherwise = field.presence === Presence.LEGACY_REQUIRED ? "else throw odd;" : "";
      return `x=m[${this.name}];if(x!==undefined&&${isOwn}){${write}}${otherwise}`;
    }
    return `x=m[${this.name}];if(${isThere}(${isSet(field)})){${write}}`;
  }

  /** Of a list or a map, which a message always has. */
  private whereGiven(check: string, write: string): string {
    return `x=m[${this.name}];${this.isInit ? `if(x!==undefined&&x!==null){if(!${check}(x))throw odd;${write}}` : write}`;
  }

  private list(field: DescField & { fieldKind: "list" }): string {
    const loop = (write: string) => `for(let i=0;i<x.length;i++){const y=x[i];${write}}`;
    if (field.listKind !== "message" && field.packed) {
      const type = field.listKind === "enum" ? ScalarType.INT32 : field.scalar;
      const write = `if(x.length!==0){${tag(field.number, WireType.LengthDelimited)}const f=w.fork();${loop(scalar(type, "y"))}w.join(f);}`;
      return this.whereGiven("isArray", write);
    }
    return this.whereGiven("isArray", loop(this.value(field.number, "y")));
  }

  private map(field: DescField & { fieldKind: "map" }): string {
    // In an entry the key has number 1 and the value number 2, and both are written even if zero.
    const key = `${tag(1, wireTypeOf(field.mapKey))}${scalar(field.mapKey, keyExpression(field.mapKey))}`;
    const entry = `${tag(field.number, WireType.LengthDelimited)}const f=w.fork();${key}${this.value(2, "y")}w.join(f);`;
    return this.whereGiven("isPlain", `for(const k of Object.keys(x)){const y=x[k];${entry}}`);
  }

  /** @param name of the variable with the value: of the field itself, of an item of the list or of a value of the map */
  private value(number: number, name: string): string {
    const field = this.field;
    if (field.message === undefined) {
      const type = field.scalar ?? ScalarType.INT32;
      return `${tag(number, wireTypeOf(type))}${scalar(type, name)}`;
    }
    const type = this.typeIndex(field.message);
    const need = `if(write${type}===undefined)write${type}=types[${type}]();`;
    const write = `write${type}(w,${this.asMessage(name)});`;
    if ("delimitedEncoding" in field && field.delimitedEncoding) {
      return `${need}${tag(number, WireType.StartGroup)}${write}${tag(number, WireType.EndGroup)}`;
    }
    return `${need}${tag(number, WireType.LengthDelimited)}const g=w.fork();${write}w.join(g);`;
  }

  /** protobuf-es keeps some messages in another form. */
  private asMessage(name: string): string {
    const { message, oneof, fieldKind } = this.field;
    if (isKeptAsJson(this.field)) return `jsonToStruct(${name})`;
    if (message !== undefined && fieldKind === "message" && oneof === undefined && isWrapperDesc(message)) {
      return `{$typeName:${JSON.stringify(message.typeName)},value:${name}}`;
    }
    return name;
  }
}

/** Keys of objects are strings, whatever the type of the map's keys. */
function keyExpression(type: ScalarType): string {
  switch (type) {
    case ScalarType.STRING:
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.SINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return "k";
    case ScalarType.BOOL:
      return 'k==="true"?true:k==="false"?false:k';
    default:
      return "Number.parseInt(k)";
  }
}

function tag(number: number, wireType: WireType): string {
  return `w.tag(${((number << 3) | wireType) >>> 0});`;
}

function scalar(type: ScalarType, value: string): string {
  return `w.${methods[type]}(${value});`;
}

/** WireWriter's methods, each of which checks its argument. */
const methods: Record<ScalarType, string> = {
  [ScalarType.DOUBLE]: "double",
  [ScalarType.FLOAT]: "float",
  [ScalarType.INT64]: "int64",
  [ScalarType.UINT64]: "uint64",
  [ScalarType.INT32]: "int32",
  [ScalarType.FIXED64]: "fixed64",
  [ScalarType.FIXED32]: "fixed32",
  [ScalarType.BOOL]: "bool",
  [ScalarType.STRING]: "string",
  [ScalarType.BYTES]: "bytes",
  [ScalarType.UINT32]: "uint32",
  [ScalarType.SFIXED32]: "sfixed32",
  [ScalarType.SFIXED64]: "sfixed64",
  [ScalarType.SINT32]: "sint32",
  [ScalarType.SINT64]: "sint64",
};
