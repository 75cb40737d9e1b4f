import {
  type DescField,
  type DescMessage,
  getOption,
  hasOption,
  isFieldSet,
  type Message,
  ScalarType,
} from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import {
  type FieldRules,
  FieldRulesSchema,
  type Fixed32Rules,
  Fixed32RulesSchema,
  field as fieldOption,
  Ignore,
  type Int32Rules,
  Int32RulesSchema,
  message as messageOption,
  oneof as oneofOption,
  type SFixed32Rules,
  SFixed32RulesSchema,
  type SInt32Rules,
  SInt32RulesSchema,
  type StringRules,
  StringRulesSchema,
  type UInt32Rules,
  UInt32RulesSchema,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";

/** Returns true if a message certainly satisfies its rules. After false, the validator must decide. */
export type QuickCheck = (message: Message) => boolean;

type ValueCheck = (value: unknown) => boolean;
type Fields = Message & Record<string, unknown>;
type FieldCheck = (message: Fields) => boolean;

/** The check of fields without rules. */
const always = (): boolean => true;

/**
 * Compiles the rules of a message, if it has only the common kinds: lengths of strings, bounds of 32-bit integers, and fields without rules.
 * Returns undefined for other messages. The validator walks a tree of evaluators with reflection, which costs half as much as a small call;
 * valid messages can avoid it.
 */
export function compileQuickCheck(schema: DescMessage): QuickCheck | undefined {
  return compileMessage(schema, []);
}

function compileMessage(schema: DescMessage, outer: readonly DescMessage[]): QuickCheck | undefined {
  // A recursive message would need a check of any depth.
  if (outer.includes(schema) || hasOption(schema, messageOption)) return undefined;
  if (schema.oneofs.some((oneof) => hasOption(oneof, oneofOption))) return undefined;
  const checks: FieldCheck[] = [];
  for (const field of schema.fields) {
    const check = compileField(field, [...outer, schema]);
    if (check === undefined) return undefined;
    if (check !== always) checks.push(check);
  }
  if (checks.length === 0) return always;
  return (message) => {
    for (let at = 0; at < checks.length; at++) {
      if (!(checks[at] as FieldCheck)(message as Fields)) return false;
    }
    return true;
  };
}

function compileField(field: DescField, outer: readonly DescMessage[]): FieldCheck | undefined {
  if (!hasOption(field, fieldOption)) return compileUnruled(field, outer);
  const rules = getOption(field, fieldOption);
  if (field.fieldKind !== "scalar" || field.oneof !== undefined || !isPlain(rules)) return undefined;
  const check = compileValue(field.scalar, rules);
  if (check === undefined) return undefined;
  const { localName } = field;
  if (field.presence === FeatureSet_FieldPresence.IMPLICIT) return (message: Fields) => check(message[localName]);
  // A field with presence is checked only if it is set.
  return (message: Fields) => !isFieldSet(message, field) || check(message[localName]);
}

/** A field without rules may contain a message with rules. */
function compileUnruled(field: DescField, outer: readonly DescMessage[]): FieldCheck | undefined {
  if (field.message === undefined) return always;
  const inner = compileMessage(field.message, outer);
  if (inner === undefined || inner === always) return inner;
  if (field.fieldKind !== "message" || field.oneof !== undefined) return undefined;
  const { localName } = field;
  return (message: Fields) => message[localName] === undefined || inner(message[localName] as Message);
}

/** Whether only the rules of the field's type are set. */
function isPlain(rules: FieldRules): boolean {
  if (rules.$unknown !== undefined || rules.ignore !== Ignore.UNSPECIFIED) return false;
  return FieldRulesSchema.fields.every((one) => one.oneof !== undefined || !isFieldSet(rules, one));
}

/** Integer types that are numbers in JavaScript. 64-bit integers are bigints or strings. */
const wholeNumbers: ReadonlySet<ScalarType> = new Set([
  ScalarType.INT32,
  ScalarType.UINT32,
  ScalarType.SINT32,
  ScalarType.FIXED32,
  ScalarType.SFIXED32,
]);

function compileValue(scalar: ScalarType, { type }: FieldRules): ValueCheck | undefined {
  if (scalar === ScalarType.STRING && type.case === "string") return compileLengths(type.value);
  switch (type.case) {
    case "int32":
    case "uint32":
    case "sint32":
    case "fixed32":
    case "sfixed32":
      return wholeNumbers.has(scalar) ? compileBounds(type.value) : undefined;
    default:
      return undefined;
  }
}

function compileLengths(rules: StringRules): ValueCheck | undefined {
  if (!hasOnly(StringRulesSchema, rules, ["minLen", "maxLen"])) return undefined;
  const least = Number(rules.minLen);
  const most = isFieldSet(rules, StringRulesSchema.field.maxLen) ? Number(rules.maxLen) : Number.POSITIVE_INFINITY;
  return (value) => {
    if (typeof value !== "string" || value.length > most || value.length < least) return false;
    // Rules count code points. A code point has one or two UTF-16 units.
    return value.length >= 2 * least || !/[\ud800-\udfff]/.test(value);
  };
}

type Bounds = Int32Rules | UInt32Rules | SInt32Rules | Fixed32Rules | SFixed32Rules;

function compileBounds(rules: Bounds): ValueCheck | undefined {
  const { lessThan, greaterThan } = rules;
  const schema = boundsSchemas[rules.$typeName];
  if (!hasOnly(schema, rules, ["lt", "lte", "gt", "gte"])) return undefined;
  // If the lower bound is above the upper one, protovalidate accepts the values outside the range.
  const least = bound(greaterThan.value, greaterThan.case === "gt" ? 1 : 0) ?? Number.NEGATIVE_INFINITY;
  const most = bound(lessThan.value, lessThan.case === "lt" ? -1 : 0) ?? Number.POSITIVE_INFINITY;
  if (least > most) return undefined;
  return (value) => typeof value === "number" && value >= least && value <= most;
}

const boundsSchemas = {
  "buf.validate.Int32Rules": Int32RulesSchema,
  "buf.validate.UInt32Rules": UInt32RulesSchema,
  "buf.validate.SInt32Rules": SInt32RulesSchema,
  "buf.validate.Fixed32Rules": Fixed32RulesSchema,
  "buf.validate.SFixed32Rules": SFixed32RulesSchema,
} as const satisfies Record<Bounds["$typeName"], DescMessage>;

function bound(value: number | undefined, step: number): number | undefined {
  return value === undefined ? undefined : value + step;
}

/** Whether only these rules are set, and no predefined rules of the application. */
function hasOnly(schema: DescMessage, rules: Message, names: readonly string[]): boolean {
  if (rules.$unknown !== undefined) return false;
  return schema.fields.every((one) => names.includes(one.localName) || !isFieldSet(rules as never, one as never));
}
