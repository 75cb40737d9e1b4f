// The seam through which a package serves other protocols with a server's methods. For sibling packages.

export { Cancellation } from "../call/cancellation.ts";
export type { ContextSource } from "../call/context/handler-context.ts";
export type { ResponseMetadata } from "../call/context/response-metadata.ts";
export type { MessageCodec } from "../call/messages/message-codec.ts";
export { MessageQueue, type MessageSource } from "../call/messages/message-queue.ts";
export { andObserver, type MessageObserver } from "../hooks/message-observer.ts";
export { inspectable } from "../logging/thrown-text.ts";
export { type Compression, chooseResponseEncoding, type DecompressingCall } from "../protocol/compression.ts";
export type { MessageFormat } from "../protocol/content-type.ts";
export {
  frameMessage,
  MessageReader,
  type MessageSink,
  messagePrefixBytes,
  writeMessagePrefix,
} from "../protocol/message-framing.ts";
export {
  appendMetadata,
  appendTrailerMetadata,
  findMetadata,
  metadataToHeaders,
  receivedMetadata,
} from "../protocol/metadata.ts";
export { Payload } from "../protocol/payload.ts";
export { parseTimeout } from "../protocol/timeout.ts";
export { appendStatusTrailers } from "../protocol/trailers.ts";
export type { DeadlineEntry } from "../time/deadline-wheel.ts";
export { readClientTls } from "../transport/client/client-tls.ts";
export type { HandledCall } from "../transport/handler/handled-call.ts";
export { errorToSend, logFault } from "../transport/handler/handler-fault.ts";
export { expectResponse, type MethodHandler } from "../transport/handler/method-handler.ts";
export { decodeReceived, type ReceivingCall } from "../transport/messages/decode-received.ts";
export { MessageSender } from "../transport/messages/message-sender.ts";
export { isOneMessage } from "../transport/messages/one-message.ts";
export { PreparedHead } from "../transport/prepared-head.ts";
export { shortenDeadline, startDeadline, type TimedCall } from "../transport/server/call-deadline.ts";
export type { HttpExchange, HttpExchangeListener, HttpRequestHead } from "../transport/server/http-exchange.ts";
export type { AttachedGateway, Gateway, GatewayHost } from "./gateway.ts";
