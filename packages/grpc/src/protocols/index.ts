// The seam through which a package serves other protocols with a server's methods. For sibling packages.

export { Cancellation } from "../call/cancellation.ts";
export type { ContextSource } from "../call/handler-context.ts";
export type { MessageCodec } from "../call/message-codec.ts";
export { MessageQueue, type MessageSource } from "../call/message-queue.ts";
export type { ResponseMetadata } from "../call/response-metadata.ts";
export { andObserver, type MessageObserver } from "../hooks/message-observer.ts";
export { inspectable } from "../logging/thrown-text.ts";
export { type Compression, chooseResponseEncoding, type DecompressingCall } from "../protocol/compression.ts";
export type { MessageFormat } from "../protocol/content-type.ts";
export {
  MessageReader,
  type MessageSink,
  messagePrefixBytes,
  writeMessagePrefix,
} from "../protocol/message-framing.ts";
export { appendMetadata, appendTrailerMetadata, findMetadata, metadataToHeaders } from "../protocol/metadata.ts";
export { Payload } from "../protocol/payload.ts";
export { parseTimeout } from "../protocol/timeout.ts";
export { appendStatusTrailers } from "../protocol/trailers.ts";
export type { DeadlineEntry } from "../time/deadline-wheel.ts";
export { shortenDeadline, startDeadline, type TimedCall } from "../transport/call-deadline.ts";
export { readClientTls } from "../transport/client-tls.ts";
export { decodeReceived, type ReceivingCall } from "../transport/decode-received.ts";
export type { HandledCall } from "../transport/handled-call.ts";
export { errorToSend, logFault } from "../transport/handler-fault.ts";
export type { HttpExchange, HttpExchangeListener, HttpRequestHead } from "../transport/http-exchange.ts";
export { MessageSender } from "../transport/message-sender.ts";
export { expectResponse, type MethodHandler } from "../transport/method-handler.ts";
export type { AttachedGateway, Gateway, GatewayHost } from "./gateway.ts";
