export { HpackDecoder, type HpackDecoderOptions } from "./decoder.ts";
export { initialTableBytes } from "./dynamic-table.ts";
export { HpackEncoder } from "./encoder.ts";
export { HeaderBlock } from "./header-block.ts";
export { HpackError } from "./hpack-error.ts";
export { PreparedHeaders } from "./prepared-headers.ts";
