import { create, createFileRegistry, type DescMessage } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  DescriptorProtoSchema,
  Edition,
  FeatureSet_MessageEncoding as Encoding,
  type FieldDescriptorProto,
  FieldDescriptorProtoSchema,
  FileDescriptorSetSchema,
  file_google_protobuf_struct,
  file_google_protobuf_wrappers,
  FieldOptions_JSType as JsType,
  FieldDescriptorProto_Label as Label,
  FeatureSet_FieldPresence as Presence,
  FeatureSet_RepeatedFieldEncoding as RepeatedEncoding,
  FieldDescriptorProto_Type as Type,
  FeatureSet_Utf8Validation as Utf8,
} from "@bufbuild/protobuf/wkt";

/** A whole number from 0 to below the limit. */
export type Random = (limit: number) => number;

/** Repeatable noise. */
export function createRandom(seed: number): Random {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

type Syntax = "proto2" | "proto3" | "editions";

const syntaxes: readonly Syntax[] = ["proto2", "proto3", "editions"];
const typeCount = 3;

const scalarTypes = [
  ...[Type.DOUBLE, Type.FLOAT, Type.INT64, Type.UINT64, Type.INT32, Type.FIXED64, Type.FIXED32, Type.BOOL],
  ...[Type.STRING, Type.BYTES, Type.UINT32, Type.SFIXED32, Type.SFIXED64, Type.SINT32, Type.SINT64],
];
const keyTypes = scalarTypes.filter((type) => ![Type.DOUBLE, Type.FLOAT, Type.BYTES].includes(type));
const longTypes = [Type.INT64, Type.UINT64, Type.FIXED64, Type.SFIXED64, Type.SINT64];

const wellKnownTypes = ["Struct", "Value", "ListValue", "StringValue", "Int64Value", "BytesValue", "DoubleValue"];

/** Names that mean something to JavaScript, next to ordinary ones. */
const oddNames = ["__proto__", "constructor", "to_string", "case", "message", "r", "end", "default", "_1", "a_b_c"];

/** Three message types that contain scalars, enums, one another and well-known types in every position that protobuf has. */
export function randomSchema(random: Random): DescMessage {
  const syntax = syntaxes[random(syntaxes.length)] as Syntax;
  const set = create(FileDescriptorSetSchema, {
    file: [
      file_google_protobuf_struct.proto,
      file_google_protobuf_wrappers.proto,
      {
        name: "random.proto",
        package: "random",
        dependency: ["google/protobuf/struct.proto", "google/protobuf/wrappers.proto"],
        ...(syntax === "editions" ? { syntax, edition: Edition.EDITION_2023 } : { syntax }),
        enumType: [
          {
            name: "Kind",
            value: [
              { name: "ZERO", number: 0 },
              { name: "MINUS", number: -1 },
              { name: "BIG", number: 70_000 },
            ],
            // EnumType.CLOSED
            ...(syntax === "editions" && random(2) === 0 ? { options: { features: { enumType: 2 } } } : {}),
          },
        ],
        messageType: Array.from({ length: typeCount }, (_, n) => randomMessageType(`M${n}`, syntax, random)),
      },
    ],
  });
  const schema = createFileRegistry(set).getMessage("random.M0");
  if (schema === undefined) throw new Error("the schema lacks M0");
  return schema;
}

function randomMessageType(name: string, syntax: Syntax, random: Random): DescriptorProto {
  const type = create(DescriptorProtoSchema, { name, oneofDecl: [{ name: "choice" }] });
  const fieldCount = 1 + random(12);
  const spread = random(4) === 0 ? 3000 : 1;
  let inOneof = 0;
  for (let n = 0; n < fieldCount; n++) {
    const field = create(FieldDescriptorProtoSchema, {
      name: random(5) === 0 ? (oddNames[(n + random(2) * 5) % oddNames.length] as string) : `field_${n}`,
      number: 1 + n * spread,
      label: Label.OPTIONAL,
    });
    if (type.field.some((other) => other.name === field.name)) field.name = `field_${n}`;
    const position = random(6);
    if (position === 0) {
      addMap(type, field, random);
    } else {
      setValueType(field, syntax, random);
      if (position <= 2) {
        field.label = Label.REPEATED;
        setRepeatedEncoding(field, syntax, random);
      } else if (position === 3) {
        field.oneofIndex = 0;
        inOneof++;
      } else if (syntax === "editions" && field.type !== Type.MESSAGE && field.type !== Type.GROUP) {
        setFeature(field, { fieldPresence: random(2) === 0 ? Presence.EXPLICIT : Presence.IMPLICIT });
        // Closed enums cannot have implicit presence.
        if (field.type === Type.ENUM) setFeature(field, { fieldPresence: Presence.EXPLICIT });
      }
    }
    // As compilers do, which write it in camel case.
    field.jsonName = field.name;
    type.field.push(field);
  }
  if (inOneof === 0) type.oneofDecl = [];
  return type;
}

function setValueType(field: FieldDescriptorProto, syntax: Syntax, random: Random): void {
  switch (random(8)) {
    case 0:
      field.type = Type.ENUM;
      field.typeName = ".random.Kind";
      break;
    case 1:
    case 2:
      field.type = Type.MESSAGE;
      field.typeName = `.random.M${random(typeCount)}`;
      if (syntax === "proto2" && random(3) === 0) field.type = Type.GROUP;
      if (syntax === "editions" && random(3) === 0) setFeature(field, { messageEncoding: Encoding.DELIMITED });
      break;
    case 3:
      field.type = Type.MESSAGE;
      field.typeName = `.google.protobuf.${wellKnownTypes[random(wellKnownTypes.length)]}`;
      break;
    default:
      field.type = scalarTypes[random(scalarTypes.length)] as Type;
      if (longTypes.includes(field.type) && random(4) === 0) setOptions(field).jstype = JsType.JS_STRING;
      if (field.type === Type.STRING && syntax === "editions" && random(3) === 0) {
        setFeature(field, { utf8Validation: Utf8.NONE });
      }
  }
}

function setRepeatedEncoding(field: FieldDescriptorProto, syntax: Syntax, random: Random): void {
  const isPackable = ![Type.STRING, Type.BYTES, Type.MESSAGE, Type.GROUP].includes(field.type);
  if (!isPackable || random(2) === 0) return;
  if (syntax === "editions") setFeature(field, { repeatedFieldEncoding: RepeatedEncoding.EXPANDED });
  else setOptions(field).packed = syntax === "proto2";
}

function addMap(type: DescriptorProto, field: FieldDescriptorProto, random: Random): void {
  const value = create(FieldDescriptorProtoSchema, { name: "value", number: 2, label: Label.OPTIONAL });
  // In a map neither groups nor features are allowed.
  setValueType(value, "proto3", random);
  value.options = undefined as never;
  const pascalName = field.name
    .split("_")
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join("");
  const entry = `${pascalName}Entry`;
  type.nestedType.push(
    create(DescriptorProtoSchema, {
      name: entry,
      options: { mapEntry: true },
      field: [
        { name: "key", number: 1, type: keyTypes[random(keyTypes.length)] as Type, label: Label.OPTIONAL },
        value,
      ],
    }),
  );
  field.type = Type.MESSAGE;
  field.typeName = `.random.${type.name}.${entry}`;
  field.label = Label.REPEATED;
}

function setOptions(field: FieldDescriptorProto): NonNullable<FieldDescriptorProto["options"]> {
  field.options ??= create(FieldDescriptorProtoSchema, { options: {} }).options as never;
  return field.options as NonNullable<FieldDescriptorProto["options"]>;
}

function setFeature(
  field: FieldDescriptorProto,
  features: {
    fieldPresence?: Presence;
    messageEncoding?: Encoding;
    repeatedFieldEncoding?: RepeatedEncoding;
    utf8Validation?: Utf8;
  },
): void {
  const options = setOptions(field);
  const withFeatures = create(FieldDescriptorProtoSchema, { options: { features: {} } }).options?.features;
  options.features ??= withFeatures as never;
  Object.assign(options.features as object, features);
}
