export type { Codec } from "./codec.ts";
export { createJsonCodec, type JsonCodecOptions, jsonCodecOptionNames } from "./json.ts";
export { createProtobufCodec, type ProtobufCodecOptions } from "./protobuf.ts";
export { copyOctets } from "./slab.ts";
