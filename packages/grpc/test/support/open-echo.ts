import { describe, type TestContext } from "node:test";
import { type Client, type ConnectRouter, createClient, type Interceptor, type ServiceImpl } from "@connectrpc/connect";
import type { Channel, ChannelOptions, Log, Server, ServerOptions } from "@tercel/grpc";
import { createInMemoryTransport, createStubServer } from "@tercel/grpc/testing";
import { EchoService } from "../gen/tercel/grpc/test/v1/echo_pb.ts";

export type EchoHandlers = Partial<ServiceImpl<typeof EchoService>>;

export interface EchoOptions {
  server?: Omit<ServerOptions, "routes" | "tls" | "http1Server" | "maxConnections">;
  channel?: Omit<ChannelOptions, "tls" | "connectTimeoutMs">;
  serviceInterceptors?: Interceptor[];
}

export interface Echo {
  readonly client: Client<typeof EchoService>;
  readonly transport: Channel;
  readonly server: Server;
  readonly logged: readonly LoggedLine[];
}

export interface LoggedLine {
  readonly level: keyof Log;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Serves the handlers and makes a client of them; both are closed when the test ends. */
export type OpenEcho = (test: TestContext, handlers: EchoHandlers, options?: EchoOptions) => Promise<Echo>;

/** Defines the same tests twice: with a socket between client and server, and without. */
export function overBothTransports(define: (open: OpenEcho) => void): void {
  describe("in memory", () => define(openInMemory));
  describe("over a socket", () => define(openOverSocket));
}

export const openInMemory: OpenEcho = async (test, handlers, options = {}) => {
  const { log, logged } = recordingLog();
  const transport = createInMemoryTransport({
    routes: echoRoutes(handlers, options),
    serverOptions: { log, ...options.server },
    channelOptions: options.channel ?? {},
  });
  test.after(() => transport.close({ deadlineMs: 0 }));
  return { client: createClient(EchoService, transport), transport, server: transport.server, logged };
};

export const openOverSocket: OpenEcho = async (test, handlers, options = {}) => {
  const { log, logged } = recordingLog();
  const stub = await createStubServer(echoRoutes(handlers, options), {
    serverOptions: { log, ...options.server },
    channelOptions: options.channel ?? {},
  });
  test.after(() => stub.close({ deadlineMs: 0 }));
  return { client: createClient(EchoService, stub.transport), transport: stub.transport, server: stub.server, logged };
};

export function echoRoutes(handlers: EchoHandlers, options: EchoOptions = {}): (router: ConnectRouter) => void {
  const { serviceInterceptors } = options;
  return (router) =>
    router.service(
      EchoService,
      handlers,
      serviceInterceptors === undefined ? {} : { interceptors: serviceInterceptors },
    );
}

export function recordingLog(): { readonly log: Log; readonly logged: LoggedLine[] } {
  const logged: LoggedLine[] = [];
  const at =
    (level: keyof Log): Log[typeof level] =>
    (message, fields = {}) => {
      logged.push({ level, message, fields });
    };
  return { logged, log: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") } };
}
