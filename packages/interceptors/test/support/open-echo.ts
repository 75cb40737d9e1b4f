import { describe } from "node:test";
import { createClient, type Interceptor, type ServiceImpl } from "@connectrpc/connect";
import { type CallOptions, createCallOpeners } from "@tercel/test-support/calls";
import { EchoService, OtherService } from "../gen/tercel/interceptors/test/v1/echo_pb.ts";

export { recordingLog } from "@tercel/test-support/calls";

export type EchoHandlers = Partial<ServiceImpl<typeof EchoService>>;

export interface EchoOptions extends CallOptions {
  /** Methods of the second service. */
  other?: Partial<ServiceImpl<typeof OtherService>>;
}

const openers = createCallOpeners(
  (handlers: EchoHandlers, options: EchoOptions) => (router) => {
    router.service(EchoService, handlers);
    router.service(OtherService, options.other ?? {});
  },
  (transport) => ({
    client: createClient(EchoService, transport),
    other: createClient(OtherService, transport),
  }),
);

export const { openInMemory, openOverSocket } = openers;

const passing: Interceptor = (next) => (request) => next(request);

const openAmongOthers: typeof openInMemory = (test, handlers, options = {}) => {
  const interceptors = (options.server?.interceptors ?? []).flatMap((one) => [one, passing]);
  return openInMemory(test, handlers, { ...options, server: { ...options.server, interceptors } });
};

/**
 * Defines the same tests three times: with a socket between client and server, in memory, and in memory with an interceptor of the
 * application after each of the server's. This package's interceptors then run as Connect interceptors, and as hooks otherwise.
 */
export function overBothTransports(define: Parameters<typeof openers.overBothTransports>[0]): void {
  openers.overBothTransports(define);
  describe("in memory, among interceptors of the application", () => define(openAmongOthers));
}

/** A server and its client. */
export type Echo = Awaited<ReturnType<typeof openInMemory>>;

/** Server or client options with these interceptors. */
export function interceptedOn(side: "client" | "server", ...interceptors: Interceptor[]): EchoOptions {
  return side === "client" ? { channel: { interceptors } } : { server: { interceptors } };
}
