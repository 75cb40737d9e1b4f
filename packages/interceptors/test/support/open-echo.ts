import type { TestContext } from "node:test";
import { type Client, type ConnectRouter, createClient, type Interceptor, type ServiceImpl } from "@connectrpc/connect";
import {
  type CallOptions,
  type OpenCalls,
  type OpenedCalls,
  openCallsInMemory,
  openCallsOverSocket,
  overBoth,
} from "@tercel/test-support/calls";
import { EchoService, OtherService } from "../gen/tercel/interceptors/test/v1/echo_pb.ts";

export { recordingLog } from "@tercel/test-support/calls";

export type EchoHandlers = Partial<ServiceImpl<typeof EchoService>>;

export interface EchoOptions extends CallOptions {
  /** Methods of the second service. */
  other?: Partial<ServiceImpl<typeof OtherService>>;
}

export interface Echo extends OpenedCalls {
  readonly client: Client<typeof EchoService>;
  readonly other: Client<typeof OtherService>;
}

/** Serves the handlers and makes clients of them; both are closed when the test ends. */
export type OpenEcho = (test: TestContext, handlers: EchoHandlers, options?: EchoOptions) => Promise<Echo>;

/** Defines the same tests twice: with a socket between client and server, and without. */
export function overBothTransports(define: (open: OpenEcho) => void): void {
  overBoth((open) => define(openEchoBy(open)));
}

export const openInMemory: OpenEcho = openEchoBy(openCallsInMemory);
export const openOverSocket: OpenEcho = openEchoBy(openCallsOverSocket);

function openEchoBy(open: OpenCalls): OpenEcho {
  return async (test, handlers, options = {}) => {
    const routes = (router: ConnectRouter): void => {
      router.service(EchoService, handlers);
      router.service(OtherService, options.other ?? {});
    };
    const opened = await open(test, routes, options);
    const { transport } = opened;
    return {
      ...opened,
      client: createClient(EchoService, transport),
      other: createClient(OtherService, transport),
    };
  };
}

/** Server or client options with these interceptors. */
export function interceptedOn(side: "client" | "server", ...interceptors: Interceptor[]): EchoOptions {
  return side === "client" ? { channel: { interceptors } } : { server: { interceptors } };
}
