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
  /** What the server logged by itself. */
  readonly logged: readonly LoggedLine[];
}

/** Serves the routes and makes a channel to them; both are closed when the test ends. */
export type OpenCalls = (
  test: TestContext,
  routes: ServerOptions["routes"],
  options?: CallOptions,
) => Promise<OpenedCalls>;

/** Defines the same tests twice: with a socket between client and server, and without. */
export function overBoth(define: (open: OpenCalls) => void): void {
  describe("in memory", () => define(openCallsInMemory));
  describe("over a socket", () => define(openCallsOverSocket));
}

export const openCallsInMemory: OpenCalls = async (test, routes, options = {}) => {
  const { log, logged } = recordingLog();
  const transport = createInMemoryTransport({
    routes,
    serverOptions: { log, ...options.server },
    channelOptions: options.channel ?? {},
  });
  test.after(() => transport.close({ deadlineMs: 0 }));
  return { transport, server: transport.server, logged };
};

export const openCallsOverSocket: OpenCalls = async (test, routes, options = {}) => {
  const { log, logged } = recordingLog();
  const { transport, server, close } = await createStubServer(routes, {
    serverOptions: { log, ...options.server },
    channelOptions: options.channel ?? {},
  });
  test.after(() => close({ deadlineMs: 0 }));
  return { transport, server, logged };
};
