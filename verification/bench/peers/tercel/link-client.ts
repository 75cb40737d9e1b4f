/** `<target> <upload|download> <bytes>`: makes one call that transfers these bytes in messages of 64 KiB, and prints `{"bytes":N,"seconds":S,"secondHalfSeconds":S}`. */

import { create } from "@bufbuild/protobuf";
import { createChannel, createClient } from "@tercel/grpc";
import { EchoRequestSchema, EchoService } from "./gen/echo_pb.ts";

const MESSAGE_BYTES = 65_536;

const [target = "", direction, bytesText] = process.argv.slice(2);
const half = Math.round(Number(bytesText) / MESSAGE_BYTES / 2);
const count = 2 * half;
let halfMs = 0;
// The data is zeros, which compression would reduce to almost nothing.
const client = createClient(EchoService, createChannel(target, { acceptCompressions: [] }));

async function* requests() {
  const request = create(EchoRequestSchema, { payload: new Uint8Array(MESSAGE_BYTES) });
  for (let sent = 0; sent < count; sent++) {
    if (sent === half) halfMs = performance.now();
    yield request;
  }
}

async function transfer(): Promise<number> {
  if (direction === "upload") return (await client.clientStream(requests())).payloadBytes;
  let bytes = 0;
  for await (const response of client.serverStream({ count, payloadSize: MESSAGE_BYTES })) {
    bytes += response.payload.length;
    if (bytes === half * MESSAGE_BYTES) halfMs = performance.now();
  }
  return bytes;
}

// The connection is open before the clock starts.
await client.unary({ message: "hello" });
const startedMs = performance.now();
const bytes = await transfer();
const endedMs = performance.now();
if (bytes !== count * MESSAGE_BYTES) throw new Error(`${bytes} bytes received, expected ${count * MESSAGE_BYTES}`);
process.stdout.write(
  `${JSON.stringify({ bytes, seconds: (endedMs - startedMs) / 1000, secondHalfSeconds: (endedMs - halfMs) / 1000 })}\n`,
  () => process.exit(0),
);
