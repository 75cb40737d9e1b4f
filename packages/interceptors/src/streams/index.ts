export { type BatchSender, type BatchSenderOptions, createBatchSender } from "./batch-sender.ts";
export { type Broadcaster, type BroadcasterOptions, createBroadcaster, type WhenSlow } from "./broadcaster.ts";
export { createReconnectingStream, type Reconnect, type ReconnectingStreamOptions } from "./reconnecting-stream.ts";
