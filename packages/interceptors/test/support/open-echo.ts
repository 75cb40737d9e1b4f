import { createClient, type Interceptor, type ServiceImpl } from "@connectrpc/connect";
import { type CallOptions, createCallOpeners } from "@tercel/test-support/calls";
import { EchoService, OtherService } from "../gen/tercel/interceptors/test/v1/echo_pb.ts";

export { recordingLog } from "@tercel/test-support/calls";

export type EchoHandlers = Partial<ServiceImpl<typeof EchoService>>;

export interface EchoOptions extends CallOptions {
  /** Methods of the second service. */
  other?: Partial<ServiceImpl<typeof OtherService>>;
}

export const { openInMemory, openOverSocket, overBothTransports } = createCallOpeners(
  (handlers: EchoHandlers, options: EchoOptions) => (router) => {
    router.service(EchoService, handlers);
    router.service(OtherService, options.other ?? {});
  },
  (transport) => ({
    client: createClient(EchoService, transport),
    other: createClient(OtherService, transport),
  }),
);

/** What was opened. */
export type Echo = Awaited<ReturnType<typeof openInMemory>>;

/** Server or client options with these interceptors. */
export function interceptedOn(side: "client" | "server", ...interceptors: Interceptor[]): EchoOptions {
  return side === "client" ? { channel: { interceptors } } : { server: { interceptors } };
}
