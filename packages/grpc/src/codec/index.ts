// For users, as `@tercel/grpc/codec`.

// For the folders above this one, and for sibling packages.
export type { Codec } from "./codec.ts";
export { codecFaultMessage, type OnCodecFault } from "./compiled/compiled.ts";
export { createJsonCodec, type JsonCodec, type JsonCodecOptions, jsonCodecOptionNames } from "./json.ts";
export { decodeMessage, encodeMessage } from "./messages.ts";
export { createProtobufCodec, type ProtobufCodecOptions } from "./protobuf.ts";
export { defaultMaxDecodedRequestBytes } from "./size/memory-budget.ts";
