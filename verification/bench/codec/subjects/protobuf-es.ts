import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { messageOf, schemaOf } from "../messages.ts";
import { shapes } from "../samples.ts";
import { answerQuestions } from "../subject.ts";

answerQuestions((shape) => {
  const schema = schemaOf(shape);
  const message = messageOf(shape);
  const bytes = toBinary(schema, message);
  return {
    encode: () => toBinary(schema, message),
    decode: () => fromBinary(schema, bytes),
    bytes: bytes.length,
  };
}, shapes);
