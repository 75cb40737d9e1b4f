import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Http2Server, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { callOnce } from "./call-once.ts";

async function withServer(answer: (stream: ServerHttp2Stream) => void, use: (port: number) => Promise<void>) {
  const server: Http2Server = createServer();
  server.on("stream", (stream) => {
    stream.on("error", () => {});
    answer(stream);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    await use((server.address() as AddressInfo).port);
  } finally {
    server.close();
    await once(server, "close");
  }
}

test("returns the body of a successful call", () =>
  withServer(
    (stream) => {
      stream.respond({}, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.pipe(stream);
    },
    async (port) => assert.deepEqual(await callOnce(port, "/any", Buffer.from("abc")), Buffer.from("abc")),
  ));

test("fails with the status of a call with a trailers-only response", () =>
  withServer(
    (stream) => stream.respond({ "grpc-status": "12" }, { endStream: true }),
    (port) => assert.rejects(callOnce(port, "/any", Buffer.alloc(5)), /\/any failed with status 12/),
  ));

test("fails if nothing listens, and if the call is reset", async () => {
  await assert.rejects(callOnce(1, "/any", Buffer.alloc(5)), /ECONNREFUSED/);
  await withServer(
    (stream) => stream.close(8),
    (port) => assert.rejects(callOnce(port, "/any", Buffer.alloc(5))),
  );
});
