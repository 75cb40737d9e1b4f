import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { startGoPeer, startPythonPeer, withoutGo, withoutPython } from "./index.ts";

/** A port that refuses connections: it was free a moment ago. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

test("the grpc-go peer reports what it saw as JSON", { skip: withoutGo }, async (t) => {
  const peer = startGoPeer(t, "health-check", ["-target", `127.0.0.1:${await closedPort()}`]);
  assert.equal(JSON.parse(await peer.line()).code, "Unavailable");
});

test("the Python peer reports what it saw as JSON", { skip: withoutPython }, async (t) => {
  const peer = startPythonPeer(t, "health_check", ["--target", `127.0.0.1:${await closedPort()}`]);
  assert.equal(JSON.parse(await peer.line()).code, "UNAVAILABLE");
});
