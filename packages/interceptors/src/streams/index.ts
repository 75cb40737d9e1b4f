// The pauses of a reconnecting stream are made of it.
export { type Backoff, type BackoffOptions, createBackoff } from "@tercel/grpc/naming";
export { type BatchSender, type BatchSenderOptions, createBatchSender } from "./batch-sender.ts";
export { type Broadcaster, type BroadcasterOptions, createBroadcaster, type WhenSlow } from "./broadcaster.ts";
export { createReconnectingStream, type Reconnect, type ReconnectingStreamOptions } from "./reconnecting-stream.ts";
