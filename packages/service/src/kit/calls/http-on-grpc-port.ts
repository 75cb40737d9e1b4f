import { createServer, type Server } from "node:http";
import type { Socket } from "node:net";
import { type AnswerPage, createPageHandler } from "../observation/observation.ts";

/** An HTTP server whose connections come from another listener. */
export interface HttpOnGrpcPort {
  readonly server: Server;
  /** Closes idle connections, and the others after their response. */
  endConnections(): void;
}

/**
 * Serves pages to HTTP/1.1 connections on gRPC's port; undefined without pages. It tracks connections itself, because Node does so only for a server that
 * listens.
 */
export function createHttpOnGrpcPort(pages: AnswerPage | undefined): HttpOnGrpcPort | undefined {
  if (pages === undefined) return undefined;
  const handler = createPageHandler(pages);
  const server = createServer((request, response) => void handler(request, response));
  /** Open requests per connection. */
  const connections = new Map<Socket, number>();
  let isEnding = false;

  function count(socket: Socket, change: number): void {
    const open = (connections.get(socket) ?? 0) + change;
    connections.set(socket, open);
    if (isEnding && open === 0) socket.end();
  }

  server.on("connection", (socket: Socket) => {
    connections.set(socket, 0);
    socket.once("close", () => connections.delete(socket));
  });
  server.on("request", ({ socket }, response) => {
    count(socket, 1);
    response.once("close", () => {
      if (connections.has(socket)) count(socket, -1);
    });
  });
  return {
    server,
    endConnections() {
      isEnding = true;
      for (const [socket, open] of connections) if (open === 0) socket.end();
    },
  };
}
