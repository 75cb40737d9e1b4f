export {
  type Compression,
  chooseRequestDecoding,
  chooseResponseDecoding,
  chooseResponseEncoding,
  defaultCompressMinBytes,
  type EncodingChoice,
  formatAcceptEncoding,
  undeclaredCompressionError,
} from "./compression.ts";
export { formatContentType, type MessageFormat, parseContentType } from "./content-type.ts";
export { gzipCompression } from "./gzip-compression.ts";
export {
  MessageReader,
  type MessageSink,
  maxAnnouncedMessageBytes,
  messagePrefixBytes,
  writeMessagePrefix,
} from "./message-framing.ts";
export {
  appendMetadata,
  appendTrailerMetadata,
  type FieldList,
  findMetadataError,
  type MetadataInit,
  metadataToHeaders,
  type OnDropped,
} from "./metadata.ts";
export { formatMethodPath, type MethodPath, parseMethodPath } from "./method-path.ts";
export { codeFromHttpStatus, codeFromStreamError } from "./status.ts";
export { formatTimeout, maxTimeoutMs, parseTimeout } from "./timeout.ts";
export { appendStatusTrailers, readStatusTrailers } from "./trailers.ts";
export { userAgent } from "./user-agent.ts";
