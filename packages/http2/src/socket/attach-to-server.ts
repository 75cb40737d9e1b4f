import type { Socket } from "node:net";
import type { Connection } from "../connection/connection.ts";
import { ErrorCode } from "../errors/error-code.ts";
import { Http2Error } from "../errors/http2-error.ts";
import { attach, divertData } from "./attach.ts";
import { readGreeting } from "./server-greeting.ts";
import { isTlsSocket } from "./tls/is-tls-socket.ts";
import { explainClientTlsError } from "./tls/tls-failure.ts";

/**
 * As `attach`, for a client. A server whose first bytes are of another protocol ends the connection with an error whose cause says
 * which: read as frames, they would be a frame of some megabytes.
 */
export function attachToServer(connection: Connection, socket: Socket): void {
  let head: Uint8Array | undefined;
  const read = (bytes: Uint8Array, hasEnded: boolean): void => {
    const greeting = readGreeting(bytes, hasEnded);
    if (greeting === "more") {
      // Copied, because the socket may read into the same memory again.
      head = Buffer.from(bytes);
      return;
    }
    endDiversion();
    socket.off("close", onClose);
    if (greeting === "http2") connection.receive(bytes, true);
    else connection.abandon(notHttp2(greeting.reason));
  };
  const onClose = (): void => {
    if (head !== undefined) read(head, true);
    // TLS 1.3 lets a server refuse the client's certificate when the client has finished its handshake.
    else if (isTlsSocket(socket) && socket.errored) connection.socketClosed(explainClientTlsError(socket.errored));
  };
  attach(connection, socket);
  const endDiversion = divertData(socket, (chunk) => {
    read(head === undefined ? chunk : Buffer.concat([head, chunk]), false);
  });
  // Before the connection's own, which only knows that the socket is gone.
  socket.prependListener("close", onClose);
}

function notHttp2(reason: string): Http2Error {
  return new Http2Error("the server does not speak HTTP/2", {
    scope: "connection",
    blame: "peer",
    code: ErrorCode.protocolError,
    cause: new Error(reason),
  });
}
