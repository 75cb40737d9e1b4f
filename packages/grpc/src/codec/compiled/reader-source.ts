import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { costOfMessage, memoryCosts } from "../size/memory-costs.ts";
import { maxDepth } from "../wire/skip-field.ts";

/** The text of a program that reads messages of one type, and what it refers to. */
export interface ReaderSource {
  /**
   * Body of a function of `types`, `values` and `tools`; see message-reader.ts. Names of the schema occur in it only as
   * a JSON string, so that a schema from elsewhere cannot become code.
   */
  readonly text: string;
  /** Types of fields, in the order of `types`. */
  readonly types: readonly DescMessage[];
  /** Values that have no literal, in the order of `values`. */
  readonly values: readonly unknown[];
}

/** A field whose value is a message kept as JSON: a google.protobuf.Struct anywhere but in google.protobuf.Value. */
export function isKeptAsJson(field: DescField): boolean {
  return field.message?.typeName === "google.protobuf.Struct" && field.parent.typeName !== "google.protobuf.Value";
}

/**
 * Writes the reader of a message type: a constructor that gives it the shape of `zero`, and a loop over tags that knows each
 * field's number, type and name. The loop keeps its place in a local variable and decides all that one byte can decide; for
 * longer varints, text and unknown fields it calls the WireReader.
 */
export function writeReaderSource(schema: DescMessage, zero: object): ReaderSource {
  const types: DescMessage[] = [];
  const values: unknown[] = [];
  const typeIndex = (type: DescMessage): number => {
    const index = types.indexOf(type);
    return index < 0 ? types.push(type) - 1 : index;
  };
  const valueName = (value: unknown): string => `v${values.push(value) - 1}`;

  const assignments = Object.entries(zero).map(
    ([name, value]) => `this[${JSON.stringify(name)}]=${zeroExpression(value, valueName)};`,
  );
  const cases = schema.fields.map(
    (field) => `case ${field.number}:${new FieldSource(field, typeIndex, valueName).text()}break;`,
  );
  const text = `"use strict";
const {odd,text,smallIntegers,smallSigned,setOwn,structToJson,prototype}=tools;
${values.map((_, n) => `const v${n}=values[${n}];`).join("")}
${types.map((_, n) => `let T${n},read${n};`).join("")}
function Type(){${assignments.join("")}}
Type.prototype=prototype;
const read=(function(r,m,end,endTag,depth){
const b=r.input;
let p=r.at,n=0,q=0;
while(p<end){
let tag=b[p++];
if(tag>127){r.at=p-1;tag=r.tag(end);p=r.at;}
switch(tag>>>3){
${cases.join("\n")}
default:
if(tag===endTag)break;
r.at=p;r.unknownField(m,tag,end,depth);p=r.at;
continue;
}
if(tag!==endTag)throw odd;
r.at=p;
return;
}
if(endTag!==-1)throw odd;
r.at=p;
});
return{Type,read};`;
  return { text, types, values };
}

function zeroExpression(value: unknown, valueName: (value: unknown) => string): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "boolean":
      return String(value);
    case "bigint":
      return `${value}n`;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0) ? String(value) : valueName(value);
    default:
      if (Array.isArray(value)) return "[]";
      // Bytes of length zero are shared between messages, as protobuf-es does.
      if (value instanceof Uint8Array) return valueName(value);
      return "case" in (value as object) ? "{case:undefined}" : "{}";
  }
}

/** How a value is read: statements that move the position past it, and the expression that has the value after them. */
interface ValueSource {
  readonly wireType: WireType;
  /** @param end name of the variable that holds the end of what surrounds the value */
  read(end: string): string;
  readonly value: string;
}

/** Writes the statements of one field, which find the tag in `tag` and the position in `p`, and continue the loop. */
class FieldSource {
  private readonly field: DescField;
  private readonly typeIndex: (type: DescMessage) => number;
  private readonly valueName: (value: unknown) => string;
  private readonly target: string;

  constructor(field: DescField, typeIndex: (type: DescMessage) => number, valueName: (value: unknown) => string) {
    this.field = field;
    this.typeIndex = typeIndex;
    this.valueName = valueName;
    this.target = `m[${JSON.stringify(field.localName)}]`;
  }

  text(): string {
    const field = this.field;
    switch (field.fieldKind) {
      case "scalar":
        return this.plain(this.scalar(field.scalar, field.longAsString));
      case "enum":
        return this.plain(this.scalar(ScalarType.INT32, false), this.knownValuesOnly(field.enum));
      case "message":
        return this.message(field);
      case "list":
        return this.list(field);
      case "map":
        return this.map(field);
    }
  }

  /** A singular field whose last occurrence counts. */
  private plain(source: ValueSource, check = ""): string {
    return `if(tag===${this.tag(source.wireType)}){${source.read("end")}${check}${this.assign(source.value)}continue;}`;
  }

  private assign(value: string): string {
    const { oneof, localName } = this.field;
    if (oneof === undefined) return `${this.target}=${value};`;
    return `m[${JSON.stringify(oneof.localName)}]={case:${JSON.stringify(localName)},value:${value}};`;
  }

  /** Closed enums: protobuf-es keeps a value without a name as an unknown field. */
  private knownValuesOnly(type: DescEnum): string {
    if (type.open) return "";
    return `if(!${this.valueName(new Set(type.values.map(({ number }) => number)))}.has(n|0))throw odd;`;
  }

  private message(field: DescField & { fieldKind: "message" }): string {
    const { oneof, localName, message } = field;
    const type = this.typeIndex(message);
    const tag = this.tag(field.delimitedEncoding ? WireType.StartGroup : WireType.LengthDelimited);
    const read = this.readMessage(type, field.delimitedEncoding, "c", "end");
    const pay = spend(costOfMessage(message).bytes);
    if (oneof !== undefined) {
      const existing = `m[${JSON.stringify(oneof.localName)}]`;
      const value = isKeptAsJson(field)
        ? `if(${existing}.case===${JSON.stringify(localName)})throw odd;${pay}const c=new T${type}();`
        : `let c;if(${existing}.case===${JSON.stringify(localName)})c=${existing}.value;else{${pay}c=new T${type}();}`;
      return `if(tag===${tag}){${this.needType(type)}${value}${read}${this.assign(this.kept("c"))}continue;}`;
    }
    if (isKeptAsJson(field)) {
      return `if(tag===${tag}&&${this.target}===undefined){${this.needType(type)}${pay}const c=new T${type}();${read}${this.assign(this.kept("c"))}continue;}`;
    }
    if (isWrapperDesc(message)) {
      // Kept as the value in it. A second occurrence is added to the first, which then is a wrapper again.
      return `if(tag===${tag}){${this.needType(type)}${pay}const c=new T${type}();if(${this.target}!==undefined)c.value=${this.target};${read}${this.target}=c.value;continue;}`;
    }
    return `if(tag===${tag}){${this.needType(type)}let c=${this.target};if(c===undefined){${pay}${this.target}=c=new T${type}();}${read}continue;}`;
  }

  private list(field: DescField & { fieldKind: "list" }): string {
    if (field.listKind === "message") {
      const type = this.typeIndex(field.message);
      const tag = this.tag(field.delimitedEncoding ? WireType.StartGroup : WireType.LengthDelimited);
      const read = this.readMessage(type, field.delimitedEncoding, "c", "end");
      const pay = spend(costOfMessage(field.message).bytes);
      return `if(tag===${tag}){${this.needType(type)}${pay}const c=new T${type}();${read}${this.target}.push(${this.kept("c")});continue;}`;
    }
    // Items of closed enums are kept whether they have a name or not, as protobuf-es does.
    const type = field.listKind === "enum" ? ScalarType.INT32 : field.scalar;
    const isLongAsString = field.listKind === "scalar" && field.longAsString;
    const source = this.scalar(type, isLongAsString);
    const pay = isLongAsString && source.wireType === WireType.Varint ? spend(memoryCosts.long) : "";
    const single = `if(tag===${this.tag(source.wireType)}){${source.read("end")}${pay}${this.target}.push(${source.value});continue;}`;
    if (source.wireType === WireType.LengthDelimited) return single;
    const items =
      packedFixedItems(type, isLongAsString) ?? `while(p<stop){${source.read("stop")}${pay}a[j++]=${source.value};}`;
    // Readers have to take both, whatever the schema says.
    const packed = `if(tag===${this.tag(WireType.LengthDelimited)}){${length("end")}const a=${this.target},stop=p+n;let j=a.length;${items}continue;}`;
    return field.packed ? packed + single : single + packed;
  }

  private map(field: DescField & { fieldKind: "map" }): string {
    const key = this.scalar(field.mapKey, false);
    const keyZero = field.mapKey === ScalarType.STRING ? '""' : field.mapKey === ScalarType.BOOL ? "false" : "0";
    let readValue: string;
    let valueTag: number;
    let valueZero: string;
    let need = "";
    let payValue = "";
    let kept = "w";
    if (field.mapKind === "message") {
      const type = this.typeIndex(field.message);
      need = this.needType(type);
      valueTag = tagOf(2, WireType.LengthDelimited);
      payValue = spend(costOfMessage(field.message).bytes);
      readValue = `if(w===undefined){${payValue}w=new T${type}();}${this.readMessage(type, false, "w", "stop")}`;
      valueZero = `new T${type}()`;
      kept = this.kept("w");
    } else {
      const source = this.scalar(field.mapKind === "enum" ? ScalarType.INT32 : field.scalar, false);
      valueTag = tagOf(2, source.wireType);
      readValue = `${source.read("stop")}w=${source.value};`;
      valueZero = field.mapKind === "enum" ? String(field.enum.values[0]?.number) : scalarZeroExpression(field.scalar);
    }
    const store =
      field.mapKey === ScalarType.STRING
        ? `if(k==="__proto__")setOwn(${this.target},k,${kept});else ${this.target}[k]=${kept};`
        : `${this.target}[k]=${kept};`;
    const pay = spend(memoryCosts.mapEntry);
    return `if(tag===${this.tag(WireType.LengthDelimited)}){${need}${pay}${length("end")}const stop=p+n;let k=${keyZero},w;
while(p<stop){const t=b[p++];if(t===${tagOf(1, key.wireType)}){${key.read("stop")}k=${key.value};}else if(t===${valueTag}){${readValue}}else throw odd;}
if(w===undefined){${payValue}w=${valueZero};}${store}continue;}`;
  }

  private tag(wireType: WireType): number {
    return tagOf(this.field.number, wireType);
  }

  private needType(type: number): string {
    return `if(read${type}===undefined){const t=types[${type}]();T${type}=t.Type;read${type}=t.read;}`;
  }

  private readMessage(type: number, isDelimited: boolean, name: string, end: string): string {
    const enter = `if(depth===${maxDepth})throw odd;`;
    if (isDelimited) {
      return `${enter}r.at=p;read${type}(r,${name},${end},${this.tag(WireType.EndGroup)},depth+1);p=r.at;`;
    }
    return `${enter}${length(end)}r.at=p;read${type}(r,${name},p+n,-1,depth+1);p=r.at;`;
  }

  private kept(name: string): string {
    return isKeptAsJson(this.field) ? `structToJson(${name})` : name;
  }

  private scalar(type: ScalarType, isLongAsString: boolean): ValueSource {
    const long = (value: string) => (isLongAsString ? `String(${value})` : value);
    switch (type) {
      case ScalarType.STRING:
        return {
          wireType: WireType.LengthDelimited,
          read: (end) => `${length(end)}p+=n;`,
          value: `text(r,b,p,n,${this.field.utf8Validation})`,
        };
      case ScalarType.BYTES:
        return {
          wireType: WireType.LengthDelimited,
          read: (end) => `${length(end)}p+=n;${spend(memoryCosts.view)}`,
          value: "r.bytes(p-n,p)",
        };
      case ScalarType.INT32:
        return varint("n|0");
      case ScalarType.UINT32:
        return varint("n");
      case ScalarType.SINT32:
        return varint("(n>>>1)^-(n&1)");
      case ScalarType.BOOL:
        return slowVarint("bool", "n!==0", "x");
      case ScalarType.INT64:
        return slowVarint("int64", "smallIntegers[n]", long("x"));
      case ScalarType.UINT64:
        return slowVarint("uint64", "smallIntegers[n]", long("x"));
      case ScalarType.SINT64:
        return slowVarint("sint64", "smallSigned[n]", long("x"));
      case ScalarType.FIXED64:
        return called("fixed64", WireType.Bit64, long("x"));
      case ScalarType.SFIXED64:
        return called("sfixed64", WireType.Bit64, long("x"));
      case ScalarType.DOUBLE:
        return called("double", WireType.Bit64, "x");
      case ScalarType.FIXED32:
        return called("fixed32", WireType.Bit32, "x");
      case ScalarType.SFIXED32:
        return called("sfixed32", WireType.Bit32, "x");
      case ScalarType.FLOAT:
        return called("float", WireType.Bit32, "x");
    }
  }
}

function tagOf(number: number, wireType: WireType): number {
  return ((number << 3) | wireType) >>> 0;
}

/** Charges this much memory; see MemoryBudget. */
function spend(bytes: number): string {
  return `if((r.left-=${bytes})<0)r.extend(p);`;
}

/** Reads a varint into `n`. */
function uint32(end: string): string {
  return `if(p<${end}&&(n=b[p])<128)p++;else if(${end}-p>1&&(q=b[p+1])<128){n=n&127|q<<7;p+=2;}else{r.at=p;n=r.uint32(${end});p=r.at;}`;
}

/** Reads a length into `n`, which is within `end` then. */
function length(end: string): string {
  return `${uint32(end)}if(n>${end}-p)throw odd;`;
}

function varint(value: string): ValueSource {
  return { wireType: WireType.Varint, read: uint32, value };
}

function slowVarint(method: string, short: string, value: string): ValueSource {
  return {
    wireType: WireType.Varint,
    read: (end) => `let x;if(p<${end}&&(n=b[p])<128){p++;x=${short};}else{r.at=p;x=r.${method}(${end});p=r.at;}`,
    value,
  };
}

function called(method: string, wireType: WireType, value: string): ValueSource {
  return { wireType, read: (end) => `r.at=p;const x=r.${method}(${end});p=r.at;`, value };
}

/** Reads items of fixed size up to `stop` into the list `a`, if they are of that kind. */
function packedFixedItems(type: ScalarType, isLongAsString: boolean): string | undefined {
  const method = viewMethods[type];
  if (method === undefined) return undefined;
  const bytes = method.endsWith("64") ? 8 : 4;
  const item = `d.${method}(p,true)`;
  return `if(n%${bytes}!==0)throw odd;const d=r.view();for(;p<stop;p+=${bytes})a[j++]=${isLongAsString ? `String(${item})` : item};`;
}

const viewMethods: Partial<Record<ScalarType, keyof DataView & string>> = {
  [ScalarType.DOUBLE]: "getFloat64",
  [ScalarType.FLOAT]: "getFloat32",
  [ScalarType.FIXED32]: "getUint32",
  [ScalarType.SFIXED32]: "getInt32",
  [ScalarType.FIXED64]: "getBigUint64",
  [ScalarType.SFIXED64]: "getBigInt64",
};

function scalarZeroExpression(type: ScalarType): string {
  switch (type) {
    case ScalarType.STRING:
      return '""';
    case ScalarType.BOOL:
      return "false";
    case ScalarType.BYTES:
      return "new Uint8Array(0)";
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.SINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return "0n";
    default:
      return "0";
  }
}
