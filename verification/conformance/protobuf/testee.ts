/**
 * The program that the suite's runner starts. It reads a message in one format and writes it in another, with Tercel's
 * codecs. Each request and response follows its length, 4 bytes, little endian.
 */
import { readFileSync, readSync, writeSync } from "node:fs";
import { createFileRegistry, type DescMessage, fromBinary, type Message } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { type Codec, createJsonCodec, createProtobufCodec } from "@tercel/grpc/codec";

const [descriptorSetFile = "", mode] = process.argv.slice(2);
if (isCodeForbidden() !== (mode === "fallback")) throw new Error(`this process does not run in mode ${mode}`);

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptorSetFile)));
const requestSchema = schemaOf("conformance.ConformanceRequest");
const responseSchema = schemaOf("conformance.ConformanceResponse");
const protobuf = createProtobufCodec();
const strictJson = createJsonCodec({ registry, ignoreUnknownFields: false });
const lenientJson = createJsonCodec({ registry });

/** conformance.WireFormat */
const Format = { protobuf: 1, json: 2 } as const;
/** conformance.TestCategory */
const jsonIgnoringUnknown = 3;

interface Request extends Message {
  payload: { case: "protobufPayload"; value: Uint8Array } | { case: string | undefined; value?: unknown };
  requestedOutputFormat: number;
  messageType: string;
  testCategory: number;
}

type Result = { case: "protobufPayload" | "jsonPayload" | "parseError" | "serializeError" | "skipped"; value: unknown };

function answer(request: Request): Result {
  const { payload, requestedOutputFormat } = request;
  const schema = schemaOf(request.messageType);
  const json = request.testCategory === jsonIgnoringUnknown ? lenientJson : strictJson;

  let message: Message;
  try {
    if (payload.case === "protobufPayload") message = protobuf.decode(schema, payload.value as Uint8Array);
    else if (payload.case === "jsonPayload") message = json.decode(schema, Buffer.from(payload.value as string));
    else return { case: "skipped", value: `no codec for ${payload.case}` };
  } catch (error) {
    return { case: "parseError", value: String(error) };
  }

  let output: Codec;
  if (requestedOutputFormat === Format.protobuf) output = protobuf;
  else if (requestedOutputFormat === Format.json) output = json;
  else return { case: "skipped", value: `no codec for format ${requestedOutputFormat}` };
  try {
    const bytes = output.encode(schema, message);
    return output === protobuf
      ? { case: "protobufPayload", value: bytes }
      : { case: "jsonPayload", value: Buffer.from(bytes).toString() };
  } catch (error) {
    return { case: "serializeError", value: String(error) };
  }
}

function isCodeForbidden(): boolean {
  try {
    return new Function("return false")();
  } catch {
    return true;
  }
}

function schemaOf(name: string): DescMessage {
  const schema = registry.getMessage(name);
  if (schema === undefined) throw new Error(`unknown message ${name}`);
  return schema;
}

/** Reads exactly this many bytes of standard input. Returns `undefined` at its end. */
function read(length: number): Uint8Array | undefined {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const count = readSync(0, bytes, at, length - at, null);
    if (count === 0) return undefined;
    at += count;
  }
  return bytes;
}

function write(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
}

for (;;) {
  const length = read(4);
  if (length === undefined) break;
  const question = read(Buffer.from(length).readUInt32LE());
  if (question === undefined) throw new Error("the runner stopped inside a question");
  const result = answer(protobuf.decode(requestSchema, question) as Request);
  const bytes = protobuf.encode(responseSchema, { $typeName: responseSchema.typeName, result } as Message);
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32LE(bytes.length);
  write(prefix);
  write(bytes);
}
