import type { ListenAddress, Server, ServerOptions } from "@tercel/grpc";
import { createInMemoryTransport, type InMemoryTransport } from "@tercel/grpc/testing";
import { socketless } from "../kit/dependencies/neighbours.ts";

/** A server without sockets and its transport. */
export interface InMemoryServer {
  readonly server: Server;
  readonly transport: InMemoryTransport;
}

const address = { host: "in-memory", port: 0 } as const satisfies ListenAddress;

/** Creates a server that serves in memory once it "listens", without TLS, connection limits, HTTP/1.1 and the gateway. */
export function createInMemoryServer(options: ServerOptions, channelOptions: InMemoryChannelOptions): InMemoryServer {
  const { routes, ...serverOptions } = socketless(options);
  const transport = createInMemoryTransport({ routes, serverOptions, channelOptions });
  const { server } = transport;
  let isListening = false;
  return {
    transport,
    server: {
      get address() {
        return isListening ? address : undefined;
      },
      get calls() {
        return server.calls;
      },
      get openConnections() {
        return server.openConnections;
      },
      get openCalls() {
        return server.openCalls;
      },
      get services() {
        return server.services;
      },
      async listen() {
        isListening = true;
        // The address does not depend on the requested one.
        return address as never;
      },
      updateTls: (changed) => server.updateTls(changed),
      async close(closing) {
        isListening = false;
        await server.close(closing);
      },
    },
  };
}

export type InMemoryChannelOptions = NonNullable<Parameters<InMemoryTransport["createChannel"]>[0]>;
