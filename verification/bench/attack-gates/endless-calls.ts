import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from "node:http2";

/** As many as a connection may have open. */
const calls = 100;

/**
 * Keeps as many calls of the method open as one connection may have, and `send`s on each: an attack that has to obey the windows, and so
 * needs a client that reads. Begins again when the connection is ended.
 */
export async function callEndlessly(
  port: number,
  headers: OutgoingHttpHeaders,
  send: (stream: ClientHttp2Stream) => void,
): Promise<never> {
  for (;;) {
    const session = connect(`http://127.0.0.1:${port}`).on("error", () => {});
    const closed = new Promise<void>((resolve) => session.once("close", () => resolve()));
    for (let call = 0; call < calls; call++) openCall(session, headers, send);
    await closed;
  }
}

function openCall(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  send: (stream: ClientHttp2Stream) => void,
): void {
  if (session.destroyed) return;
  const stream = session.request(
    { ":method": "POST", "content-type": "application/grpc", te: "trailers", ...headers },
    { endStream: false },
  );
  stream.on("error", () => {}).resume();
  stream.on("close", () => openCall(session, headers, send));
  send(stream);
}
