import { Http2Server, type Http2ServerOptions, type ListenAddress } from "@tercel/http2";
import type { PlanSettings } from "./request-plan.ts";
import { serveStream } from "./serve-stream.ts";
import type { ServerCallSettings } from "./server-call.ts";

export type ServerTlsOptions = NonNullable<Http2ServerOptions["tls"]>;
export type ConnectionOptions = Omit<Http2ServerOptions, "onStream">;
export type { ListenAddress };

/** A listening engine whose streams become calls. */
export function createListener(plan: PlanSettings, calls: ServerCallSettings, options: ConnectionOptions): Http2Server {
  return new Http2Server({
    ...options,
    onStream: (stream, head) => serveStream(plan, calls, stream, head),
  });
}
