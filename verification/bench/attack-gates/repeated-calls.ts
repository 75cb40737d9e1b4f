import { type ClientHttp2Session, connect } from "node:http2";
import { gzipSync } from "node:zlib";

/** Fewer than the stream limit, so that no call is refused, and enough that there is always a message to decode. */
const openCalls = 100;

/**
 * Calls a method repeatedly with the same message on one connection. A call starts when another one has ended, so the server decodes one
 * message after the other, and has no reason to end the connection. gzip compresses a 4 MiB message of a repeated pattern to a thousandth.
 */
export function repeatGzippedCall(path: string, message: Uint8Array): (port: number) => Promise<never> {
  const compressed = gzipSync(message, { level: 9 });
  const prefix = Buffer.alloc(5);
  prefix[0] = 1;
  prefix.writeUInt32BE(compressed.length, 1);
  const request = Buffer.concat([prefix, compressed]);
  return async (port) => {
    for (;;) {
      const session = connect(`http://127.0.0.1:${port}`).on("error", () => {});
      const closed = new Promise<void>((resolve) => session.once("close", () => resolve()));
      session.once("connect", () => {
        for (let call = 0; call < openCalls; call++) callAgain(session, path, request);
      });
      await closed;
    }
  };
}

function callAgain(session: ClientHttp2Session, path: string, request: Uint8Array): void {
  if (session.destroyed || session.closed) return;
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    "grpc-encoding": "gzip",
    te: "trailers",
  });
  stream.on("error", () => {}).resume();
  stream.on("close", () => callAgain(session, path, request));
  stream.end(request);
}
