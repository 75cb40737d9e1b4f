/** JSON.stringify and JSON.parse of the same data, from and to bytes. 64-bit integers remain strings, and bytes remain base64. */
import { toJson } from "@bufbuild/protobuf";
import { messageOf, schemaOf } from "../messages.ts";
import { shapes } from "../samples.ts";
import { answerQuestions } from "../subject.ts";

answerQuestions((shape) => {
  const data = toJson(schemaOf(shape), messageOf(shape));
  const bytes = Buffer.from(JSON.stringify(data));
  return {
    encode: () => Buffer.from(JSON.stringify(data)),
    decode: () => JSON.parse(bytes.toString()),
    bytes: bytes.length,
  };
}, shapes);
