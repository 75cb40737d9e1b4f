import type { DescService, Registry } from "@bufbuild/protobuf";
import type { JsonCodec } from "../codec/index.ts";
import type { Log } from "../logging/log.ts";
import type { Compression } from "../protocol/compression.ts";
import type { Clock } from "../time/clock.ts";
import type { DeadlineWheel } from "../time/deadline-wheel.ts";
import type { TurnShare } from "../time/turn-share.ts";
import type { ServedMethods } from "../transport/handler/method-handler.ts";
import type { HttpExchange } from "../transport/server/http-exchange.ts";
import type { ConnectionOptions } from "../transport/server/listen.ts";
import type { UnhandledCalls } from "../transport/server/unhandled-calls.ts";

/** What a server shares with the gateway that serves its methods by other protocols. */
export interface GatewayHost {
  readonly methods: ServedMethods;
  readonly services: readonly DescService[];
  /** JSON as `jsonOptions` has it. */
  readonly json: JsonCodec;
  readonly registry: Registry | undefined;
  readonly compressions: readonly Compression[];
  readonly compressMinBytes: number;
  readonly maxTimeoutMs: number | undefined;
  /** Calls at once over all connections and protocols; undefined for no limit. */
  readonly callLimit: { taken: number; readonly isFull: boolean } | undefined;
  readonly counts: { started: number; succeeded: number; failed: number };
  readonly deadlines: DeadlineWheel;
  readonly sendShare: TurnShare;
  readonly receiveShare: TurnShare;
  readonly clock: Clock;
  readonly log: Log;
  readonly exposeDebugInfo: boolean;
  readonly unhandled: UnhandledCalls;
}

/** A gateway that serves a server's methods. */
export interface AttachedGateway {
  /** Takes a request over HTTP/2 that is not gRPC; sets the exchange's listener before it returns. */
  serve(exchange: HttpExchange): void;
  /** Takes the sockets of the server's port that speak HTTP/1.1. */
  readonly http1Server: NonNullable<ConnectionOptions["http1Server"]>;
  readonly openConnections: number;
  /** Takes no more requests, lets those that run end, and cuts off what is left after `deadlineMs`. Resolves when nothing is left. */
  close(deadlineMs: number): Promise<void>;
}

/** Serves a server's methods by further protocols: `createGateway` of `@tercel/gateway` makes one. */
export interface Gateway {
  /** Called once by the server, with everything routed. Throws for routes that cannot be served. */
  attach(host: GatewayHost): AttachedGateway;
}
