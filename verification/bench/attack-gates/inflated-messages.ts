import { gzipSync } from "node:zlib";
import { callEndlessly } from "./endless-calls.ts";

/** Field 2, whose length takes four bytes: a message of 4 MiB of which the handler gets a view. */
const content = Buffer.alloc(4 * 2 ** 20);
const payloadBytes = content.length - 5;
content[0] = 0x12;
for (let at = 1; at <= 4; at++) content[at] = ((payloadBytes >>> (7 * (at - 1))) & 0x7f) | (at < 4 ? 0x80 : 0);
const compressed = gzipSync(content, { level: 9 });
const prefix = Buffer.of(1, 0, 0, 0, 0);
prefix.writeUInt32BE(compressed.length, 1);
const message = Buffer.concat([prefix, compressed]);

/** Messages on a stream, a thousandth of their size on the wire. */
const messagesPerCall = 8;

/** Calls with many compressed messages on every stream of one connection. */
export function sendInflatedMessages(port: number): Promise<never> {
  const headers = { ":path": "/bench.echo.v1.EchoService/ClientStream", "grpc-encoding": "gzip" };
  return callEndlessly(port, headers, (stream) => {
    for (let sent = 0; sent < messagesPerCall; sent++) stream.write(message);
    stream.end();
  });
}
