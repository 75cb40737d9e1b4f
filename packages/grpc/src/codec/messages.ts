import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { createProtobufCodec } from "./protobuf.ts";

const codec = createProtobufCodec();

/**
 * A message in protobuf's binary format, byte for byte as protobuf-es's `toBinary` writes it.
 *
 * The bytes are yours to keep and no one else will change them. Those of small messages share an ArrayBuffer, so look at their
 * `byteOffset` and `length`, and transfer a copy to another thread, not the buffer.
 *
 * @throws ConnectError with code Internal when the message does not fit its schema, or a required field is not set
 */
export function encodeMessage<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Uint8Array {
  return codec.encode(schema, message);
}

/**
 * The message in `bytes`, all of them; as protobuf-es's `fromBinary` reads it, down to the same objects. Fields that the schema does
 * not know are kept in `$unknown` and written again by `encodeMessage`.
 *
 * Fields of type `bytes` and unknown fields are views of the input: do not change its memory while you keep the message.
 *
 * @throws ConnectError with code Internal when the bytes are not such a message, hold text that is not UTF-8 where the schema
 *   demands it (proto3 does), or nest more than 100 messages; with code ResourceExhausted when the message would take more than 16 MiB of
 *   memory and more than 16 times its bytes
 */
export function decodeMessage<Desc extends DescMessage>(schema: Desc, bytes: Uint8Array): MessageShape<Desc> {
  return codec.decode(schema, bytes) as MessageShape<Desc>;
}
