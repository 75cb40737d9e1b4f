import { createServer, type Server } from "node:http";
import type { Socket } from "node:net";
import { type AnswerPage, createPageHandler } from "../observation/observation.ts";

/** An HTTP server that gets its connections from another listener. */
export interface HttpOnGrpcPort {
  readonly server: Server;
  /** Closes the connections that wait for another request, and the others when they have their response. */
  endConnections(): void;
}

/**
 * Serves pages to the connections of gRPC's port that speak HTTP/1.1; undefined where there are none. Node keeps account of the connections of a server
 * that listens only, so this server does so itself.
 */
export function createHttpOnGrpcPort(pages: AnswerPage | undefined): HttpOnGrpcPort | undefined {
  if (pages === undefined) return undefined;
  const handler = createPageHandler(pages);
  const server = createServer((request, response) => void handler(request, response));
  /** Requests that are being answered on each. */
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
