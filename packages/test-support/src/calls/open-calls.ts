import { describe, type TestContext } from "node:test";
import type { Channel, ChannelOptions, Server, ServerOptions } from "@tercel/grpc";
import { createInMemoryTransport, createStubServer } from "@tercel/grpc/testing";
import { type LoggedLine, recordingLog } from "./recording-log.ts";

export interface CallOptions {
  server?: Omit<ServerOptions, "routes" | "tls" | "http1Server" | "maxConnections">;
  channel?: Omit<ChannelOptions, "tls" | "connectTimeoutMs">;
}

export interface OpenedCalls {
  readonly transport: Channel;
  readonly server: Server;
  /** The lines that the server has logged. */
  readonly logged: readonly LoggedLine[];
}

/** Serves the handlers and creates clients for them. Closes both when the test ends. */
export type OpenCalls<Handlers, Options, Clients> = (
  test: TestContext,
  handlers: Handlers,
  options?: Options,
) => Promise<OpenedCalls & Clients>;

/** Functions that open calls to the services under test. */
export interface CallOpeners<Handlers, Options, Clients> {
  readonly openInMemory: OpenCalls<Handlers, Options, Clients>;
  readonly openOverSocket: OpenCalls<Handlers, Options, Clients>;
  /** Defines the same tests twice: with and without a socket between client and server. */
  overBothTransports(define: (open: OpenCalls<Handlers, Options, Clients>) => void): void;
}

export function createCallOpeners<Handlers, Options extends CallOptions, Clients>(
  routesOf: (handlers: Handlers, options: Options) => ServerOptions["routes"],
  clientsOf: (transport: Channel) => Clients,
): CallOpeners<Handlers, Options, Clients> {
  // Safe, because all options are optional.
  const none = {} as Options;
  const openInMemory: OpenCalls<Handlers, Options, Clients> = async (test, handlers, options = none) => {
    const { log, logged } = recordingLog();
    const transport = createInMemoryTransport({
      routes: routesOf(handlers, options),
      serverOptions: { log, ...options.server },
      channelOptions: options.channel ?? {},
    });
    test.after(() => transport.close({ deadlineMs: 0 }));
    return { ...clientsOf(transport), transport, server: transport.server, logged };
  };
  const openOverSocket: OpenCalls<Handlers, Options, Clients> = async (test, handlers, options = none) => {
    const { log, logged } = recordingLog();
    const { transport, server, close } = await createStubServer(routesOf(handlers, options), {
      serverOptions: { log, ...options.server },
      channelOptions: options.channel ?? {},
    });
    test.after(() => close({ deadlineMs: 0 }));
    return { ...clientsOf(transport), transport, server, logged };
  };
  return {
    openInMemory,
    openOverSocket,
    overBothTransports(define) {
      describe("in memory", () => define(openInMemory));
      describe("over a socket", () => define(openOverSocket));
    },
  };
}
