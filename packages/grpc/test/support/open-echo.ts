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
import { EchoService } from "../gen/tercel/grpc/test/v1/echo_pb.ts";

export { recordingLog } from "@tercel/test-support/calls";

export type EchoHandlers = Partial<ServiceImpl<typeof EchoService>>;

export interface EchoOptions extends CallOptions {
  serviceInterceptors?: Interceptor[];
}

export interface Echo extends OpenedCalls {
  readonly client: Client<typeof EchoService>;
}

/** Serves the handlers and makes a client of them; both are closed when the test ends. */
export type OpenEcho = (test: TestContext, handlers: EchoHandlers, options?: EchoOptions) => Promise<Echo>;

/** Defines the same tests twice: with a socket between client and server, and without. */
export function overBothTransports(define: (open: OpenEcho) => void): void {
  overBoth((open) => define(openEchoBy(open)));
}

export const openInMemory: OpenEcho = openEchoBy(openCallsInMemory);
export const openOverSocket: OpenEcho = openEchoBy(openCallsOverSocket);

function openEchoBy(open: OpenCalls): OpenEcho {
  return async (test, handlers, options = {}) => {
    const opened = await open(test, echoRoutes(handlers, options), options);
    return { ...opened, client: createClient(EchoService, opened.transport) };
  };
}

export function echoRoutes(handlers: EchoHandlers, options: EchoOptions = {}): (router: ConnectRouter) => void {
  const { serviceInterceptors } = options;
  return (router) =>
    router.service(
      EchoService,
      handlers,
      serviceInterceptors === undefined ? {} : { interceptors: serviceInterceptors },
    );
}
