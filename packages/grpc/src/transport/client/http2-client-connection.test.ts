import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { createFakeClock } from "../../time/fake-clock.ts";
import { createHttp2Connect } from "./http2-client-connection.ts";

/** A server that accepts one connection and never sends anything. */
async function silentServer(t: TestContext): Promise<{ port: number; accepted: Promise<Socket> }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const accepted = once(server, "connection").then(([socket]) => socket as Socket);
  t.after(async () => {
    (await accepted).destroy();
    server.close();
    await once(server, "close");
  });
  return { port: (server.address() as AddressInfo).port, accepted };
}

function begin(port: number, tls: object | undefined) {
  const clock = createFakeClock();
  const cancelling = new AbortController();
  const connect = createHttp2Connect({
    tls,
    authority: "localhost",
    isAuthorityFixed: false,
    limits: {},
    keepalive: undefined,
    unindexedFields: [],
    clock,
  });
  const attempt = { connectTimeoutMs: 5000, signal: cancelling.signal };
  const made = connect({ host: "127.0.0.1", port }, { onCapacity() {}, onGoaway() {}, onClose() {} }, attempt);
  return { clock, cancelling, made };
}

for (const [kind, tls] of [
  ["cleartext", undefined],
  ["TLS", {}],
] as const) {
  test(`an attempt to connect with ${kind} has one timer, which ends it`, async (t) => {
    const { port, accepted } = await silentServer(t);
    const { clock, made } = begin(port, tls);
    assert.equal(clock.pendingTimers, 1);
    const rejected = assert.rejects(made, /^Error: no response within 5000 ms$/);
    const socket = await accepted;
    const closed = once(socket.resume(), "close");
    await clock.advance(5000);
    await rejected;
    socket.end();
    await closed;
  });

  test(`an attempt to connect with ${kind} that is cancelled leaves no timer and no socket`, async (t) => {
    const { port, accepted } = await silentServer(t);
    const { clock, cancelling, made } = begin(port, tls);
    const rejected = assert.rejects(made, /^Error: the attempt was cancelled$/);
    const socket = await accepted;
    const closed = once(socket.resume(), "close");
    cancelling.abort();
    await rejected;
    socket.end();
    await closed;
    assert.equal(clock.pendingTimers, 0);
  });
}
