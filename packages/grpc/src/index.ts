// What applications need.

// What sibling packages need besides.
export { type Clock, systemClock } from "./call/clock.ts";
export { compressMessages } from "./call/compress-messages.ts";
export type { Log, LogFields } from "./call/log.ts";
export { nearestName, refuseUnknownOptions } from "./call/unknown-option.ts";
export { type Channel, createChannel } from "./channel/channel.ts";
export type { ChannelOptions } from "./channel/channel-options.ts";
export type { ConnectivityState } from "./channel/connectivity.ts";
export { createClient } from "./channel/create-client.ts";
export type { Compression } from "./protocol/compression.ts";
export { gzipCompression } from "./protocol/gzip-compression.ts";
export { type CloseOptions, createServer, type ListeningAt, type ListenOptions, type Server } from "./server/server.ts";
export type { ServerOptions } from "./server/server-options.ts";
export type { ListenAddress } from "./transport/listen.ts";
