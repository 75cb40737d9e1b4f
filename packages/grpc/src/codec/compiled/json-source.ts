import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { isWrapperDesc, FeatureSet_FieldPresence as Presence } from "@bufbuild/protobuf/wkt";
import { isSet } from "./implicit-presence.ts";
import { isKeptAsJson } from "./reader-source.ts";

/** The text of a program that writes messages of one type as JSON, with the types and enums of its fields in the order of `types` and `enums`. */
export interface JsonSource {
  /**
   * Body of a function of `types`, `enums` and `tools`; see json-writer.ts. No name of a schema stands in it other than as a JSON string, so that a
   * schema from elsewhere cannot become code.
   */
  readonly text: string;
  readonly types: readonly DescMessage[];
  readonly enums: readonly DescEnum[];
}

/** Names that an object has in another order than it got them. */
const indexName = /^(?:0|[1-9][0-9]*)$/;

/** Whether the JSON of a message is an object of its fields, as they are in the message. */
export function isPlainJson(schema: DescMessage): boolean {
  const names = new Set(schema.fields.map((field) => field.jsonName));
  // Of two fields with one name, which a compiler refuses, an object has one.
  if (schema.typeName.startsWith("google.protobuf.") || names.size < schema.fields.length) return false;
  return schema.fields.every(
    (field) =>
      !indexName.test(field.jsonName) &&
      field.enum?.typeName !== "google.protobuf.NullValue" &&
      !(field.message !== undefined && (isWrapperDesc(field.message) || isKeptAsJson(field))),
  );
}

/** Writes the writer of a message type that `isPlainJson`. */
export function writeJsonSource(schema: DescMessage): JsonSource {
  const types: DescMessage[] = [];
  const enums: DescEnum[] = [];
  const fields = schema.fields
    .toSorted((a, b) => a.number - b.number)
    .map((field) => fieldText(field, (value) => valueText(field, value, types, enums)));
  const text = `"use strict";
const{odd,hasOwn,isPlain,base64,string,number,float,long,bool,name}=tools;
${types.map((_, n) => `let write${n};`).join("")}
return(function(m){
if(m.$typeName!==${JSON.stringify(schema.typeName)}||m.$unknown!==undefined)throw odd;
const plain=isPlain(m);
let s="",x;
${fields.join("\n")}
return s===""?"{}":"{"+s+"}";
});`;
  return { text, types, enums };
}

/** The statements of one field, which use `x` for its value and add to `s`. */
function fieldText(field: DescField, value: (name: string) => string): string {
  const local = JSON.stringify(field.localName);
  // Twice quoted: a JSON string, as text of the program.
  const key = JSON.stringify(`${JSON.stringify(field.jsonName)}:`);
  const begin = `s+=(s===""?"":",")+${key}`;
  const read = `x=m[${local}];`;
  switch (field.fieldKind) {
    case "list":
      return `${read}if(x.length!==0){${begin}+"[";for(let i=0;i<x.length;i++){const y=x[i];s+=(i===0?"":",")+${value("y")};}s+="]";}`;
    case "map":
      return `${read}{const k=Object.keys(x);if(k.length!==0){${begin}+"{";for(let i=0;i<k.length;i++){const y=x[k[i]];s+=(i===0?"":",")+string(k[i])+":"+${value("y")};}s+="}";}}`;
    default:
      return `${read}${singularText(field, local, `${begin}+${value("x")};`)}`;
  }
}

function singularText(
  field: DescField & { fieldKind: "scalar" | "enum" | "message" },
  local: string,
  write: string,
): string {
  if (field.oneof !== undefined) {
    return `x=m[${JSON.stringify(field.oneof.localName)}];if(x.case===${local}){x=x.value;${write}}`;
  }
  if (field.presence !== Presence.IMPLICIT) {
    // The prototype may hold the default of a field that is not set.
    const otherwise = field.presence === Presence.LEGACY_REQUIRED ? "else throw odd;" : "";
    return `if(x!==undefined&&(plain||hasOwn(m,${local}))){${write}}${otherwise}`;
  }
  return `if(${isSet(field)}){${write}}`;
}

/** The expression of a value: of the field itself, of an item of the list or of a value of the map. */
function valueText(field: DescField, value: string, types: DescMessage[], enums: DescEnum[]): string {
  if (field.message !== undefined) {
    const type = indexOf(types, field.message);
    return `(write${type}??=types[${type}]())(${value})`;
  }
  if (field.enum !== undefined) return `name(enums[${indexOf(enums, field.enum)}],${value})`;
  return `${functions[field.scalar as ScalarType]}(${value})`;
}

function indexOf<T>(list: T[], item: T): number {
  const index = list.indexOf(item);
  return index === -1 ? list.push(item) - 1 : index;
}

const functions: Record<ScalarType, string> = {
  [ScalarType.DOUBLE]: "float",
  [ScalarType.FLOAT]: "float",
  [ScalarType.INT64]: "long",
  [ScalarType.UINT64]: "long",
  [ScalarType.INT32]: "number",
  [ScalarType.FIXED64]: "long",
  [ScalarType.FIXED32]: "number",
  [ScalarType.BOOL]: "bool",
  [ScalarType.STRING]: "string",
  [ScalarType.BYTES]: "base64",
  [ScalarType.UINT32]: "number",
  [ScalarType.SFIXED32]: "number",
  [ScalarType.SFIXED64]: "long",
  [ScalarType.SINT32]: "number",
  [ScalarType.SINT64]: "long",
};
