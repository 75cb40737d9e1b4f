import { describe, type TestContext } from "node:test";
import { type Client, createClient, type Interceptor, type ServiceImpl } from "@connectrpc/connect";
import type { Channel, ChannelOptions, Log, Server, ServerOptions } from "@tercel/grpc";
import { createInMemoryTransport, createStubServer } from "@tercel/grpc/testing";
import { EchoService, OtherService } from "../gen/tercel/interceptors/test/v1/echo_pb.ts";

export type EchoHandlers = Partial<ServiceImpl<typeof EchoService>>;

export interface EchoOptions {
  server?: Omit<ServerOptions, "routes" | "tls" | "http1Server" | "maxConnections">;
  channel?: Omit<ChannelOptions, "tls" | "connectTimeoutMs">;
  /** Methods of the second service. */
  other?: Partial<ServiceImpl<typeof OtherService>>;
}

export interface Echo {
  readonly client: Client<typeof EchoService>;
  readonly other: Client<typeof OtherService>;
  readonly transport: Channel;
  readonly server: Server;
  /** What the server logged by itself. */
  readonly logged: readonly LoggedLine[];
}

export interface LoggedLine {
  readonly level: keyof Log;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Serves the handlers and makes clients of them; both are closed when the test ends. */
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
  return { ...clientsOf(transport), transport, server: transport.server, logged };
};

export const openOverSocket: OpenEcho = async (test, handlers, options = {}) => {
  const { log, logged } = recordingLog();
  const stub = await createStubServer(echoRoutes(handlers, options), {
    serverOptions: { log, ...options.server },
    channelOptions: options.channel ?? {},
  });
  test.after(() => stub.close({ deadlineMs: 0 }));
  return { ...clientsOf(stub.transport), transport: stub.transport, server: stub.server, logged };
};

function clientsOf(transport: Channel): Pick<Echo, "client" | "other"> {
  return { client: createClient(EchoService, transport), other: createClient(OtherService, transport) };
}

function echoRoutes(handlers: EchoHandlers, options: EchoOptions): ServerOptions["routes"] {
  return (router) => {
    router.service(EchoService, handlers);
    router.service(OtherService, options.other ?? {});
  };
}

/** Server or client options with these interceptors. */
export function interceptedOn(side: "client" | "server", ...interceptors: Interceptor[]): EchoOptions {
  return side === "client" ? { channel: { interceptors } } : { server: { interceptors } };
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
