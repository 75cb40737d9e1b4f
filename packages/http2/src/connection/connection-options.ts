import type { Http2Error } from "../errors/http2-error.ts";
import type { LimitEvent } from "../errors/limit-name.ts";
import type { Goaway } from "../frame/goaway.ts";
import type { HeaderFields } from "../stream/header-fields.ts";
import type { Http2Stream } from "../stream/http2-stream.ts";
import type { PeerTls } from "../stream/peer-tls.ts";
import type { RequestHead } from "../stream/request-head.ts";
import type { SharedOutput } from "./flow/shared-output.ts";
import type { SharedUnfinished } from "./flow/unfinished-messages.ts";
import type { GrowthAllowance } from "./flow/window-growth.ts";
import type { Http2Connection } from "./http2-connection.ts";
import type { ConnectionLimitOptions, ConnectionLimits } from "./limits.ts";
import type { SharedStreamLimit } from "./streams/shared-stream-limit.ts";
import type { Clock } from "./time/clock.ts";
import type { Keepalive } from "./time/keepalive.ts";
import type { Ticker } from "./time/ticker.ts";

/** What a connection tells the layer above. Each names the connection last, so that one object can serve all of a server's. */
export interface ConnectionEvents {
  /** Server: a request has begun. The listener has to be set on the stream before this returns. */
  onStream?(stream: Http2Stream, head: RequestHead, connection: Http2Connection): void;
  /** Client: the peer's SETTINGS have come, so requests are welcome. */
  onReady?(): void;
  /** The peer will take no new streams; those it has not acted on are reset as unprocessed. */
  onGoaway?(goaway: Goaway): void;
  /** Client: a stream has ended or the peer allows more, so `canOpenStream` may be true again. */
  onCapacity?(): void;
  /** The peer has exceeded a limit; what follows from that follows by itself. */
  onLimit?(event: LimitEvent, connection: Http2Connection): void;
  /** The connection is gone, always exactly once; undefined when it ended in good order. */
  onClose?(error: Http2Error | undefined, connection: Http2Connection): void;
}

export interface ConnectionOptions {
  limits?: ConnectionLimitOptions;
  /** Shared by the connections of a server or client: what `resolveLimits` made of `limits`, which it takes the place of. Default: made for each. */
  resolvedLimits?: ConnectionLimits;
  /** Pings that find out whether the peer is still there. Default: none. */
  keepalive?: Keepalive;
  /**
   * Client: the connection keeps the process alive only while streams are open, those that were unreferenced (`Http2Stream.unref`)
   * excepted. Default false: it does until it is closed.
   */
  unrefWhenIdle?: boolean;
  /** Fields that differ in every message: they are kept out of the compression table. */
  unindexedFields?: readonly string[];
  /**
   * Server: makes the whole response to a request whose header list is over the limit, from the fields before the first that did not fit. Default, and
   * for undefined: status 431.
   */
  respondToLargeHeaders?(fields: readonly string[]): HeaderFields | undefined;
  clock?: Clock;
  /** Shared by the connections of a server. Default: one of its own. */
  ticker?: Ticker;
  /** By how much the windows of all connections that share it may grow. Default: one of its own. */
  growthAllowance?: GrowthAllowance;
  /** Server: what may wait to be sent on all connections that share it. Default: one of its own. */
  sharedOutput?: SharedOutput;
  /** What all connections that share it may hold of unfinished messages. Default: one of its own. */
  sharedUnfinished?: SharedUnfinished;
  /** Server: places for the streams of all connections that share it. Default: no limit but each connection's own. */
  streamPlaces?: SharedStreamLimit;
  /** What TLS tells of the peer. Default: there is no TLS. */
  peerTls?: PeerTls | undefined;
}
