import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type OutgoingHttpHeaders,
  type Settings,
} from "node:http2";

/** The number of streams that a connection may have. */
const calls = 100;

/**
 * Keeps the maximum number of calls open on one connection, and `send`s on each. The attack must obey the windows, so it
 * needs a client that reads. It starts again when the connection ends.
 */
export async function callEndlessly(
  port: number,
  headers: OutgoingHttpHeaders,
  send: (stream: ClientHttp2Stream) => void,
  settings: Settings = {},
): Promise<never> {
  for (;;) {
    const session = connect(`http://127.0.0.1:${port}`, { settings }).on("error", () => {});
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
