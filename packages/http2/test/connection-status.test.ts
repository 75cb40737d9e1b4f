// What a connection tells of itself, for those who look into a running process.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createSelfSigned, withoutOpenssl } from "@tercel/test-support/certificates";
import { ErrorCode } from "../src/index.ts";
import { createScriptedClient, createScriptedServer } from "../src/testing/index.ts";
import { ask, local, withConnection, withServer } from "./echo-server.ts";
import { ok, patterned, post } from "./example-fields.ts";

test("a server's stream has succeeded when its answer was sent to the end, whatever became of the request", async () => {
  const { peer, connection, events } = createScriptedServer();
  await peer.shakeHands();
  // Answered in full; answered before the request was over; reset by the client; still open.
  peer.sendHeaders(1, post, { endStream: true });
  events.stream(1).stream?.sendHeaders(ok, true);
  peer.sendHeaders(3, post);
  events.stream(3).stream?.sendHeaders(ok, true);
  events.stream(3).stream?.resetWhenSent(ErrorCode.noError);
  peer.sendHeaders(5, post);
  peer.sendReset(5, ErrorCode.cancel);
  peer.sendHeaders(7, post);
  const { streamsStarted, streamsSucceeded, streamsFailed } = connection.status();
  assert.deepEqual([streamsStarted, streamsSucceeded, streamsFailed], [4, 2, 1]);
});

test("a client's stream has succeeded when the response came to its end", async () => {
  const { peer, connection, request } = createScriptedClient();
  await peer.shakeHands();
  request(post, { endStream: true });
  const half = request(post);
  request(post);
  peer.sendHeaders(1, ok, { endStream: true });
  peer.sendHeaders(3, ok, { endStream: true });
  half.stream?.reset(ErrorCode.cancel);
  peer.sendReset(5, ErrorCode.internalError);
  const { streamsStarted, streamsSucceeded, streamsFailed } = connection.status();
  assert.deepEqual([streamsStarted, streamsSucceeded, streamsFailed], [3, 2, 1]);
});

test("times are those of the tick after the event, or of the question when that comes first", async () => {
  const { peer, connection, clock, request } = createScriptedClient();
  await peer.shakeHands();
  assert.equal(connection.status().lastStreamAtMs, undefined);
  const startMs = clock.nowMs();
  const { stream } = request(post);
  stream?.messageSent();
  await clock.advance(1000);
  await clock.advance(500);
  stream?.messageReceived(1);
  const { atMs, messages, lastStreamAtMs, lastMessageSentAtMs, lastMessageReceivedAtMs } = connection.status();
  assert.deepEqual(messages, { sent: 1, received: 1 });
  assert.deepEqual(
    [atMs, lastStreamAtMs, lastMessageSentAtMs, lastMessageReceivedAtMs].map((time) => (time ?? 0) - startMs),
    [1500, 1000, 1000, 1500],
  );
});

test("windows are what each side may send, before and after data", async () => {
  const { peer, connection, events } = createScriptedServer();
  await peer.shakeHands();
  const before = connection.status();
  assert.equal(before.sendWindowBytes, 65_535);
  peer.sendHeaders(1, post);
  peer.sendData(1, patterned(1000));
  events.stream(1).stream?.sendHeaders(ok);
  events.stream(1).stream?.sendData(patterned(300));
  const after = connection.status();
  assert.equal(after.sendWindowBytes, 65_235);
  assert.equal(after.receiveWindowBytes, before.receiveWindowBytes - 1000);
});

test("keepalives are counted, and not the other pings", async () => {
  const { peer, connection, clock } = createScriptedClient({
    keepalive: { timeMs: 10_000, permitWithoutStreams: true },
  });
  await peer.shakeHands();
  void connection.ping().catch(() => {});
  await peer.nextOf("PING");
  await clock.advance(12_000);
  await peer.nextOf("PING");
  assert.equal(connection.status().keepalivesSent, 1);
  connection.close();
});

test("a client tells the peer's limit of streams and its GOAWAY once they have come", async () => {
  const { peer, connection } = createScriptedClient();
  assert.equal(connection.status().peerMaxConcurrentStreams, undefined);
  await peer.shakeHands();
  assert.ok((connection.status().peerMaxConcurrentStreams ?? 0) > 0);
  assert.equal(connection.status().receivedGoawayCode, undefined);
  peer.sendGoaway(0, ErrorCode.enhanceYourCalm, "");
  assert.equal(connection.status().receivedGoawayCode, ErrorCode.enhanceYourCalm);
});

test("over TLS the cipher and the server's certificate are told", { skip: withoutOpenssl }, async () => {
  const certificate = createSelfSigned();
  const tls = { ca: certificate.cert, servername: "localhost" };
  await withServer({ tls: certificate }, local, (bound) =>
    withConnection(bound, { tls }, async (connection) => {
      await ask(connection, patterned(1));
      const status = connection.status();
      assert.match(status.tls?.cipherSuite ?? "", /^TLS_/);
      assert.ok((status.tls?.remoteCertificate?.length ?? 0) > 100);
      assert.equal(status.tls?.localCertificate, undefined);
      assert.equal(status.remote?.host, "127.0.0.1");
      assert.ok((status.local?.port ?? 0) > 0);
    }),
  );
});
