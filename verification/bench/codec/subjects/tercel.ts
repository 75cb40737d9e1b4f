import { decodeMessage, encodeMessage } from "@tercel/grpc/codec";
import { messageOf, schemaOf } from "../messages.ts";
import { shapes } from "../samples.ts";
import { answerQuestions } from "../subject.ts";

answerQuestions((shape) => {
  const schema = schemaOf(shape);
  const message = messageOf(shape);
  const bytes = encodeMessage(schema, message);
  return {
    encode: () => encodeMessage(schema, message),
    decode: () => decodeMessage(schema, bytes),
    bytes: bytes.length,
  };
}, shapes);
