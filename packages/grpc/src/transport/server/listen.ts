import {
  type ConnectionStatus,
  createHttp2Server,
  type Http2ServerOptions,
  isLoopback,
  type ListenAddress,
} from "@tercel/http2";
import { SharedStreamLimit } from "@tercel/http2/internal";
import type { Clock } from "../../time/clock.ts";
import type { PlanSettings } from "./request-plan.ts";
import { serveStream } from "./serve-stream.ts";
import type { ServerCallSettings } from "./server-call-settings.ts";

export type ServerTlsOptions = NonNullable<Http2ServerOptions["tls"]>;
export interface ConnectionOptions extends Omit<Http2ServerOptions, "onStream" | "clock"> {
  clock?: Clock;
}
export { isLoopback, type ListenAddress, SharedStreamLimit };

/** A server's connection as channelz sees it. */
export interface ServerConnection {
  status(): ConnectionStatus;
}

/** What a server needs of whatever its connections come from. */
export interface Listener {
  listen(address: ListenAddress): Promise<void>;
  readonly address: ListenAddress | undefined;
  readonly openConnections: number;
  /** Those that are open now, for channelz. */
  openConnectionList(): readonly ServerConnection[];
  /** New handshakes use this; throws when it cannot be used, or without TLS. */
  updateTls(tls: ServerTlsOptions): void;
  /** Takes no more connections, drains those there are, and cuts off what is left after `deadlineMs`. */
  close(deadlineMs: number): Promise<void>;
}

/** Makes the listener of a server, whose streams become calls. */
export type CreateListener = (plan: PlanSettings, calls: ServerCallSettings, options: ConnectionOptions) => Listener;

/** A listening socket. */
export const createListener: CreateListener = (plan, calls, options) =>
  createHttp2Server({
    ...options,
    onStream: (stream, head) => serveStream(plan, calls, stream, head),
  });
