import { type ClientHttp2Session, connect } from "node:http2";

/** As many as a connection may have open. */
const calls = 100;
const announcedBytes = 4 * 2 ** 20;
/** One for all, so that the attack begins at once. */
const message = Buffer.alloc(announcedBytes + 4);
message.writeUInt32BE(announcedBytes, 1);

/**
 * Sends all but the last byte of a large message on every stream of one connection, as far as it gets credit: an attack that has to obey the
 * windows, and so needs a client that reads. Begins again when the connection is ended.
 */
export async function sendUnfinishedMessages(port: number): Promise<never> {
  for (;;) {
    const session = connect(`http://127.0.0.1:${port}`).on("error", () => {});
    const closed = new Promise<void>((resolve) => session.once("close", () => resolve()));
    for (let call = 0; call < calls; call++) openCall(session);
    await closed;
  }
}

function openCall(session: ClientHttp2Session): void {
  if (session.destroyed) return;
  const stream = session.request(
    {
      ":method": "POST",
      ":path": "/bench.echo.v1.EchoService/ClientStream",
      "content-type": "application/grpc",
      te: "trailers",
    },
    { endStream: false },
  );
  stream.on("error", () => {}).resume();
  stream.on("close", () => openCall(session));
  stream.write(message);
}
