import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type DescMethod,
  type DescOneof,
  type DescService,
  ScalarType,
} from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";

/** Returns a declaration as in a .proto file, with full type names, which tercel describe accepts in turn. */
export function declarationOf(desc: DescService | DescMethod | DescMessage | DescEnum): string {
  switch (desc.kind) {
    case "service":
      return block(`service ${desc.typeName}`, [...deprecation(desc.deprecated), ...desc.methods.map(methodText)]);
    case "rpc":
      return `${methodText(desc)}\n\n${declarationOf(desc.input)}\n\n${declarationOf(desc.output)}`;
    case "message":
      return messageText(desc);
    case "enum":
      return enumText(desc);
  }
}

function messageText(desc: DescMessage): string {
  const nested = [
    ...desc.nestedEnums.map((one) => enumText(one)),
    ...desc.nestedMessages.filter((one) => !one.proto.options?.mapEntry).map((one) => messageText(one)),
  ];
  const members = desc.members.map((member) => (member.kind === "oneof" ? oneofText(member) : fieldText(member)));
  return block(`message ${desc.typeName}`, [...deprecation(desc.deprecated), ...members, ...nested]);
}

function enumText(desc: DescEnum): string {
  const values = desc.values.map(
    ({ name, number, deprecated }) => `${name} = ${number}${deprecated ? " [deprecated = true]" : ""};`,
  );
  return block(`enum ${desc.typeName}`, [...deprecation(desc.deprecated), ...values]);
}

function methodText(desc: DescMethod): string {
  const streamsIn = desc.methodKind === "client_streaming" || desc.methodKind === "bidi_streaming";
  const streamsOut = desc.methodKind === "server_streaming" || desc.methodKind === "bidi_streaming";
  const request = `${streamsIn ? "stream " : ""}${desc.input.typeName}`;
  const response = `${streamsOut ? "stream " : ""}${desc.output.typeName}`;
  const ending = desc.deprecated ? " { option deprecated = true; }" : ";";
  return `rpc ${desc.name}(${request}) returns (${response})${ending}`;
}

function oneofText(desc: DescOneof): string {
  return block(`oneof ${desc.name}`, desc.fields.map(fieldText));
}

function fieldText(field: DescField): string {
  const options: string[] = [];
  const byDefault = field.fieldKind === "scalar" || field.fieldKind === "enum" ? field.getDefaultValue() : undefined;
  if (byDefault !== undefined) options.push(`default = ${defaultText(byDefault)}`);
  if (field.deprecated) options.push("deprecated = true");
  if (field.jsonName !== defaultJsonName(field.name)) options.push(`json_name = ${JSON.stringify(field.jsonName)}`);
  const shown = options.length === 0 ? "" : ` [${options.join(", ")}]`;
  return `${labelOf(field)}${typeOf(field)} ${field.name} = ${field.number}${shown};`;
}

function labelOf(field: DescField): string {
  if (field.fieldKind === "list") return "repeated ";
  if (field.presence === FeatureSet_FieldPresence.LEGACY_REQUIRED) return "required ";
  const isOptional = field.presence === FeatureSet_FieldPresence.EXPLICIT && field.oneof === undefined;
  return isOptional && (field.fieldKind === "scalar" || field.fieldKind === "enum") ? "optional " : "";
}

function typeOf(field: DescField): string {
  if (field.fieldKind === "map") {
    const value = field.mapKind === "scalar" ? scalarName(field.scalar) : (field.message ?? field.enum)?.typeName;
    return `map<${scalarName(field.mapKey)}, ${value}>`;
  }
  if (field.message !== undefined) return field.message.typeName;
  if (field.enum !== undefined) return field.enum.typeName;
  return scalarName(field.scalar as ScalarType);
}

function scalarName(scalar: ScalarType): string {
  return ScalarType[scalar].toLowerCase();
}

function defaultText(value: unknown): string {
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString("latin1"));
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/** Derives a JSON name as protoc does: removes underscores and capitalizes the letters after them. */
function defaultJsonName(name: string): string {
  return name.replace(/_+(.?)/g, (_, letter: string) => letter.toUpperCase());
}

function deprecation(isDeprecated: boolean): string[] {
  return isDeprecated ? ["option deprecated = true;"] : [];
}

function block(head: string, lines: readonly string[]): string {
  if (lines.length === 0) return `${head} {}`;
  const body = lines.map((line) => line.replace(/^(?=.)/gm, "  "));
  return `${head} {\n${body.join("\n")}\n}`;
}
