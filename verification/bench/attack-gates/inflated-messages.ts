import { constants } from "node:http2";
import { gzipSync } from "node:zlib";
import { callEndlessly } from "./endless-calls.ts";

/** Field 2 with a length of four bytes: a message of 4 MiB, of which the handler gets a view. */
const content = Buffer.alloc(4 * 2 ** 20);
const payloadBytes = content.length - 5;
content[0] = 0x12;
for (let at = 1; at <= 4; at++) content[at] = ((payloadBytes >>> (7 * (at - 1))) & 0x7f) | (at < 4 ? 0x80 : 0);
const compressed = gzipSync(content, { level: 9 });
const prefix = Buffer.of(1, 0, 0, 0, 0);
prefix.writeUInt32BE(compressed.length, 1);
const message = Buffer.concat([prefix, compressed]);

/** Messages on a stream. Their size on the wire is a thousandth. */
const messagesPerCall = 8;

const headers = { ":path": "/bench.echo.v1.EchoService/ClientStream", "grpc-encoding": "gzip" };
/** Long enough for the first messages to be processed while the others wait. */
const cancelledAfterMs = 20;

/** Makes calls with many compressed messages on every stream of one connection. */
export function sendInflatedMessages(port: number): Promise<never> {
  return callEndlessly(port, headers, (stream) => {
    for (let sent = 0; sent < messagesPerCall; sent++) stream.write(message);
    stream.end();
  });
}

/** The same, but cancels each call while most of its messages wait. */
export function cancelInflatedMessages(port: number): Promise<never> {
  return callEndlessly(port, headers, (stream) => {
    for (let sent = 0; sent < messagesPerCall; sent++) stream.write(message);
    const cancel = setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), cancelledAfterMs);
    stream.on("close", () => clearTimeout(cancel));
  });
}
