// What Tercel's other packages need in addition. It may change in any version.

import type { ByteChannel } from "./connection/byte-channel.ts";
import { Connection } from "./connection/connection.ts";
import type { ConnectionEvents, ConnectionOptions } from "./connection/connection-options.ts";
import type { FedConnection } from "./connection/http2-connection.ts";
import type { Role } from "./connection/role.ts";

export { freeBuffer } from "./bytes/free-buffer.ts";
export type { ByteChannel } from "./connection/byte-channel.ts";
export type { FedConnection } from "./connection/http2-connection.ts";
export { resolveLimits } from "./connection/limits.ts";
export { SharedStreamLimit } from "./connection/streams/shared-stream-limit.ts";
export { readPeerCertificate } from "./socket/tls/peer-certificate.ts";

/** A connection over a channel whose bytes the caller moves. */
export function createConnection(
  role: Role,
  channel: ByteChannel,
  events: ConnectionEvents,
  options?: ConnectionOptions,
): FedConnection {
  return new Connection(role, channel, events, options);
}
