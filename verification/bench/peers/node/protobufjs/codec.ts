/** protobufjs with reflection, which generates the same codecs as its static code. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { toBinary } from "@bufbuild/protobuf";
import protobuf from "protobufjs";
import { messageOf, schemaOf } from "../../../codec/messages.ts";
import { shapes } from "../../../codec/samples.ts";
import { answerQuestions } from "../../../codec/subject.ts";

const root = protobuf.loadSync(fileURLToPath(new URL("../../../codec/proto/shapes.proto", import.meta.url)));

answerQuestions((shape) => {
  const type = root.lookupType(`bench.codec.v1.${shape}`);
  const bytes = toBinary(schemaOf(shape), messageOf(shape));
  const message = type.decode(bytes);
  assert.deepEqual(new Uint8Array(type.encode(message).finish()), bytes, `${shape}: the bytes come back`);
  return {
    encode: () => type.encode(message).finish(),
    decode: () => type.decode(bytes),
    bytes: bytes.length,
  };
}, shapes);
