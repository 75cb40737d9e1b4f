import type { DescEnum, DescField, DescFile, DescMessage, DescService } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";

/** How google-protobuf reads, writes and stores the scalars of api.user.v1. */
const scalars = new Map<ScalarType, { readonly method: string; readonly setter: string; readonly zero: string }>([
  [ScalarType.STRING, { method: "String", setter: "setProto3StringField", zero: '""' }],
  [ScalarType.INT32, { method: "Int32", setter: "setProto3IntField", zero: "0" }],
  [ScalarType.BOOL, { method: "Bool", setter: "setProto3BooleanField", zero: "false" }],
]);
const enumScalar = { method: "Enum", setter: "setProto3EnumField", zero: "0" } as const;

/**
 * Returns a module with the messages of a proto as classes over google-protobuf, with the names of protoc's generator for JavaScript: `getUserId`,
 * `getSkillsList`, `getMetadataMap`, `getEventCase`.
 *
 * @throws TypeError for a kind of field that the shop does not use
 */
export function writeMessages(file: DescFile): string {
  const wellKnown = [...new Set(file.messages.flatMap(({ fields }) => fields.flatMap(importedFile)))].map(
    (name) => `import * as ${moduleName(name)} from "google-protobuf/${name}_pb.js";`,
  );
  return [
    'import * as jspb from "google-protobuf";',
    ...wellKnown,
    ...file.enums.map(enumObject),
    ...file.messages.map(messageClass),
  ].join("\n");
}

/** Returns a module with the client of a service over @improbable-eng/grpc-web, with the names of ts-protoc-gen: unary and server-streaming methods. */
export function writeService(service: DescService, messagesFrom: string): string {
  const methods = service.methods.map(({ name, methodKind, input, output }) => {
    const [requestStream, responseStream] = [
      methodKind === "client_streaming" || methodKind === "bidi_streaming",
      methodKind.endsWith("ng") && methodKind !== "client_streaming",
    ];
    return `  ${name}: {
    methodName: "${name}", service: { serviceName: "${service.typeName}" }, requestStream: ${requestStream}, responseStream: ${responseStream},
    requestType: ${messageRef(input, "messages.")}, responseType: ${messageRef(output, "messages.")},
  },`;
  });
  const calls = service.methods.flatMap(({ name, localName, methodKind }) => {
    if (methodKind === "unary")
      return [
        `  ${localName}(request, metadata, callback) { return unary(${service.name}.${name}, this, request, metadata, callback); }`,
      ];
    if (methodKind === "server_streaming")
      return [`  ${localName}(request, metadata) { return stream(${service.name}.${name}, this, request, metadata); }`];
    return [];
  });
  return `
import { grpc } from "@improbable-eng/grpc-web";
import * as messages from "${messagesFrom}";
${importsOf(service)}
export const ${service.name} = {
${methods.join("\n")}
};

function unary(method, { serviceHost: host, options }, request, metadata, callback) {
  const client = grpc.unary(method, {
    request, host, metadata, transport: options.transport, debug: options.debug,
    onEnd({ status: code, statusMessage, message, trailers }) {
      if (code === grpc.Code.OK) callback(null, message);
      else callback(Object.assign(new Error(statusMessage), { code, metadata: trailers }), null);
    },
  });
  return { cancel: () => client.close() };
}

/** Failed streams have an "error" event, as the prescribed client expects. ts-protoc-gen has no such event. */
function stream(method, { serviceHost: host, options }, request, metadata) {
  const listeners = { data: [], end: [], status: [], error: [] };
  const tell = (type, value) => { for (const listener of listeners[type]) listener(value); };
  const client = grpc.invoke(method, {
    request, host, metadata, transport: options.transport, debug: options.debug,
    onMessage: (message) => tell("data", message),
    onEnd(code, details, trailers) {
      const status = { code, details, metadata: trailers };
      tell("status", status);
      if (code !== grpc.Code.OK) tell("error", Object.assign(new Error(details), { code, metadata: trailers }));
      tell("end", status);
    },
  });
  return {
    on(type, listener) { listeners[type].push(listener); return this; },
    cancel() { for (const type of Object.keys(listeners)) listeners[type] = []; client.close(); },
  };
}

export class ${service.name}Client {
  constructor(serviceHost, options = {}) { Object.assign(this, { serviceHost, options }); }
${calls.join("\n")}
}
`;
}

// ---- messages

function messageClass(message: DescMessage): string {
  const { name, fields, oneofs } = message;
  const repeated = fields.filter(({ fieldKind }) => fieldKind === "list").map(({ number }) => number);
  const groups = oneofs.map((oneof) => oneof.fields.map(({ number }) => number));
  return `
export class ${name} extends jspb.Message {
  constructor(data) {
    super();
    jspb.Message.initialize(this, data, 0, -1, ${JSON.stringify(repeated)}, ${groups.length === 0 ? "null" : JSON.stringify(groups)});
  }
  static deserializeBinary(bytes) { return ${name}.deserializeBinaryFromReader(new ${name}(), new jspb.BinaryReader(bytes)); }
  static deserializeBinaryFromReader(message, reader) {
    while (reader.nextField() && !reader.isEndGroup()) {
      switch (reader.getFieldNumber()) {
${fields.map((field) => `        case ${field.number}: { ${reading(field)} break; }`).join("\n")}
        default: reader.skipField();
      }
    }
    return message;
  }
  static serializeBinaryToWriter(message, writer) {
${fields.map((field) => `    ${writing(field)}`).join("\n")}
  }
  serializeBinary() {
    const writer = new jspb.BinaryWriter();
    ${name}.serializeBinaryToWriter(this, writer);
    return writer.getResultBuffer();
  }
  toObject() { return { ${fields.map((field) => `${field.localName}: ${shown(field)}`).join(", ")} }; }
${fields.map((field) => accessors(field, groups)).join("\n")}
${oneofs.map(({ localName }, at) => `  get${capital(localName)}Case() { return jspb.Message.computeOneofCase(this, ${JSON.stringify(groups[at])}); }`).join("\n")}
}`;
}

function accessors(field: DescField, groups: readonly (readonly number[])[]): string {
  const { number } = field;
  const name = accessorName(field);
  if (field.fieldKind === "map") {
    const type = field.mapKind === "message" ? messageRef(field.message) : "null";
    return `  get${name}(noLazyCreate) { return jspb.Message.getMapField(this, ${number}, noLazyCreate, ${type}); }`;
  }
  const group = groups.find((one) => one.includes(number));
  if (field.fieldKind === "list") {
    const single = capital(field.localName);
    return field.listKind === "message"
      ? `  get${name}() { return jspb.Message.getRepeatedWrapperField(this, ${messageRef(field.message)}, ${number}); }
  set${name}(value) { return jspb.Message.setRepeatedWrapperField(this, ${number}, value); }
  add${single}(value) { return jspb.Message.addToRepeatedWrapperField(this, ${number}, value, ${messageRef(field.message)}); }`
      : `  get${name}() { return jspb.Message.getRepeatedField(this, ${number}); }
  set${name}(value) { return jspb.Message.setField(this, ${number}, value || []); }
  add${single}(value) { return jspb.Message.addToRepeatedField(this, ${number}, value); }`;
  }
  if (field.fieldKind === "message") {
    const set =
      group === undefined
        ? `setWrapperField(this, ${number}, value)`
        : `setOneofWrapperField(this, ${number}, ${JSON.stringify(group)}, value)`;
    return `  get${name}() { return jspb.Message.getWrapperField(this, ${messageRef(field.message)}, ${number}); }
  set${name}(value) { return jspb.Message.${set}; }`;
  }
  const { setter, zero } = scalarOf(field);
  const set =
    group === undefined
      ? `${setter}(this, ${number}, value)`
      : `setOneofField(this, ${number}, ${JSON.stringify(group)}, value)`;
  return `  get${name}() { return jspb.Message.getFieldWithDefault(this, ${number}, ${zero}); }
  set${name}(value) { return jspb.Message.${set}; }`;
}

function reading(field: DescField): string {
  const name = accessorName(field);
  if (field.fieldKind === "map") {
    const read = "jspb.BinaryReader.prototype.read";
    const value =
      field.mapKind === "message"
        ? `${read}Message, ${messageRef(field.message)}.deserializeBinaryFromReader, "", new ${messageRef(field.message)}()`
        : `${read}${scalarOf(field).method}, null, "", ${scalarOf(field).zero}`;
    return `reader.readMessage(message.get${name}(), (map, entry) => jspb.Map.deserializeBinary(map, entry, ${read}String, ${value}));`;
  }
  const isList = field.fieldKind === "list";
  const put = isList ? `add${capital(field.localName)}` : `set${name}`;
  const type = messageOf(field);
  if (type === undefined) return `message.${put}(reader.read${scalarOf(field).method}());`;
  return `const value = new ${messageRef(type)}(); reader.readMessage(value, ${messageRef(type)}.deserializeBinaryFromReader); message.${put}(value);`;
}

function writing(field: DescField): string {
  const { number } = field;
  const get = `message.get${accessorName(field)}`;
  if (field.fieldKind === "map") {
    const write = "jspb.BinaryWriter.prototype.write";
    const value =
      field.mapKind === "message"
        ? `${write}Message, ${messageRef(field.message)}.serializeBinaryToWriter`
        : `${write}${scalarOf(field).method}`;
    return `if ((${get}(true)?.getLength() ?? 0) > 0) ${get}(true).serializeBinary(${number}, writer, ${write}String, ${value});`;
  }
  const type = messageOf(field);
  if (field.fieldKind === "list") {
    return type === undefined
      ? `if (${get}().length > 0) writer.writeRepeated${scalarOf(field).method}(${number}, ${get}());`
      : `if (${get}().length > 0) writer.writeRepeatedMessage(${number}, ${get}(), ${messageRef(type)}.serializeBinaryToWriter);`;
  }
  if (type !== undefined) {
    return `if (${get}() != null) writer.writeMessage(${number}, ${get}(), ${messageRef(type)}.serializeBinaryToWriter);`;
  }
  if (field.oneof !== undefined) {
    return `if (jspb.Message.getField(message, ${number}) != null) writer.write${scalarOf(field).method}(${number}, ${get}());`;
  }
  return `if (${get}() !== ${scalarOf(field).zero}) writer.write${scalarOf(field).method}(${number}, ${get}());`;
}

function shown(field: DescField): string {
  const get = `this.get${accessorName(field)}()`;
  if (field.fieldKind === "map") return `${get}.toObject()`;
  const isMessage = messageOf(field) !== undefined;
  if (field.fieldKind === "list") return isMessage ? `${get}.map((one) => one.toObject())` : get;
  return isMessage ? `${get}?.toObject()` : get;
}

function enumObject({ name, values }: DescEnum): string {
  return `export const ${name} = { ${values.map((value) => `${value.name}: ${value.number}`).join(", ")} };`;
}

// ---- names

function accessorName({ localName, fieldKind }: DescField): string {
  return `${capital(localName)}${fieldKind === "list" ? "List" : fieldKind === "map" ? "Map" : ""}`;
}

function capital(name: string): string {
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

function scalarOf(field: DescField): { readonly method: string; readonly setter: string; readonly zero: string } {
  if ("enum" in field && field.enum !== undefined) return enumScalar;
  const found = "scalar" in field && field.scalar !== undefined ? scalars.get(field.scalar) : undefined;
  if (found === undefined) throw new TypeError(`the stubs have no code for the field ${field}`);
  return found;
}

function messageOf(field: DescField): DescMessage | undefined {
  return field.fieldKind !== "map" && "message" in field ? field.message : undefined;
}

function isWellKnown({ typeName }: DescMessage): boolean {
  return typeName.startsWith("google.protobuf.");
}

function messageRef(message: DescMessage, prefix = ""): string {
  return isWellKnown(message) ? `${moduleName(message.file.name)}.${message.name}` : `${prefix}${message.name}`;
}

/** `google/protobuf/timestamp` as a name in JavaScript. */
function moduleName(file: string): string {
  return file.replaceAll("/", "_");
}

function importedFile(field: DescField): string[] {
  const message = "message" in field ? field.message : undefined;
  return message !== undefined && isWellKnown(message) ? [message.file.name] : [];
}

function importsOf({ methods }: DescService): string {
  const files = methods.flatMap(({ input, output }) =>
    [input, output].filter(isWellKnown).map(({ file }) => file.name),
  );
  return [...new Set(files)]
    .map((name) => `import * as ${moduleName(name)} from "google-protobuf/${name}_pb.js";`)
    .join("\n");
}
