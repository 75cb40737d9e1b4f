/** The cases of gRPC's negative HTTP/2 test descriptions: how Tercel's client handles a faulty or unusual server. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { expectStatus } from "../client/expect-status.ts";
import { largeRequestBytes, largeResponseBytes, zeros } from "../client/sizes.ts";
import { openTestChannel, type TestChannel } from "../client/test-channel.ts";
import { type Answer, type BadServer, responseBytes, startBadServer } from "./bad-server.ts";

const noError = 0;
/** The time limit, which only a hanging call reaches. */
const timeoutMs = 20_000;

async function start(
  t: TestContext,
  answer: Answer,
  settings: Parameters<typeof startBadServer>[1] = {},
): Promise<{ server: BadServer; testChannel: TestChannel }> {
  const server = await startBadServer(answer, settings);
  const testChannel = openTestChannel({ host: "127.0.0.1", port: server.port, hostOverride: undefined, ca: undefined });
  t.after(async () => {
    await testChannel.channel.close();
    await server.close();
  });
  return { server, testChannel };
}

async function largeUnary({ client }: TestChannel): Promise<void> {
  const request = { responseSize: largeResponseBytes, payload: { body: zeros(largeRequestBytes) } };
  const response = await client.unaryCall(request, { timeoutMs });
  assert.equal(response.payload?.body.length, largeResponseBytes);
}

test("after a GOAWAY the call in flight finishes and the next one uses another connection", async (t) => {
  const { server, testChannel } = await start(t, async (connection, streamId) => {
    if (server.connections.length === 1) connection.peer.sendGoaway(streamId, noError);
    connection.sendHead(streamId);
    await connection.sendBytes(streamId, responseBytes(largeResponseBytes));
    connection.sendOk(streamId);
  });
  await largeUnary(testChannel);
  await largeUnary(testChannel);
  assert.deepEqual(
    server.connections.map((connection) => connection.streamIds.length),
    [1, 1],
  );
});

test("a reset after the headers fails the call", async (t) => {
  const { testChannel } = await start(t, (connection, streamId) => {
    connection.sendHead(streamId);
    connection.sendReset(streamId, noError);
  });
  await expectStatus(largeUnary(testChannel), Code.Internal);
});

test("a reset in the middle of a message fails the call", async (t) => {
  const { testChannel } = await start(t, async (connection, streamId) => {
    connection.sendHead(streamId);
    const bytes = responseBytes(largeResponseBytes);
    await connection.sendBytes(streamId, bytes.subarray(0, bytes.length / 2));
    connection.sendReset(streamId, noError);
  });
  await expectStatus(largeUnary(testChannel), Code.Internal);
});

test("a reset after the whole message fails the call, because there is no status", async (t) => {
  const { testChannel } = await start(t, async (connection, streamId) => {
    connection.sendHead(streamId);
    await connection.sendBytes(streamId, responseBytes(largeResponseBytes));
    connection.sendReset(streamId, noError);
  });
  await expectStatus(largeUnary(testChannel), Code.Internal);
});

test("a stream delivers the messages before a reset, then fails", async (t) => {
  const { testChannel } = await start(t, async (connection, streamId) => {
    connection.sendHead(streamId);
    await connection.sendBytes(streamId, responseBytes(1000));
    connection.sendReset(streamId, noError);
  });
  const sizes: (number | undefined)[] = [];
  const call = (async () => {
    for await (const response of testChannel.client.streamingOutputCall({}, { timeoutMs })) {
      sizes.push(response.payload?.body.length);
    }
  })();
  await expectStatus(call, Code.Internal);
  assert.deepEqual(sizes, [1000]);
});

test("acknowledges every ping, at any point of a call", async (t) => {
  const { server, testChannel } = await start(t, async (connection, streamId) => {
    connection.sendPing();
    connection.sendHead(streamId);
    connection.sendPing();
    await connection.sendBytes(streamId, responseBytes(largeResponseBytes));
    connection.sendPing();
    connection.sendOk(streamId);
    connection.sendPing();
  });
  await largeUnary(testChannel);
  const [connection] = server.connections;
  await connection?.until(() => connection.pingsAnswered === 4);
  assert.equal(connection?.pingsSent, 4);
});

test("respects a limit of one stream, and all waiting calls succeed", async (t) => {
  const { server, testChannel } = await start(
    t,
    async (connection, streamId) => {
      connection.sendHead(streamId);
      await connection.sendBytes(streamId, responseBytes(largeResponseBytes));
      connection.sendOk(streamId);
    },
    { maxConcurrentStreams: 1 },
  );
  await largeUnary(testChannel);
  await Promise.all(Array.from({ length: 10 }, () => largeUnary(testChannel)));
  // Calls over the limit may use further connections (gRFC A105), each with the same limit.
  for (const connection of server.connections) assert.ok(connection.mostOpenStreams <= 1);
  assert.equal(
    server.connections.reduce((sum, connection) => sum + connection.streamIds.length, 0),
    11,
  );
});

for (const padding of [undefined, 0, 255]) {
  const name = padding === undefined ? "no padding" : `${padding} bytes of padding`;
  test(`responses with ${name} in every DATA frame arrive complete, and their windows are returned`, async (t) => {
    const { server, testChannel } = await start(t, async (connection, streamId) => {
      connection.sendHead(streamId);
      await connection.sendBytes(streamId, responseBytes(largeResponseBytes), 300, padding);
      connection.sendOk(streamId);
    });
    // Padding alone is 268,000 bytes per call. If its window were not returned, the call would stall.
    for (let calls = 0; calls < 30; calls++) await largeUnary(testChannel);
    assert.equal(server.connections[0]?.streamIds.length, 30);
  });
}

test("a response with another content-type than gRPC's fails the call", async (t) => {
  const { testChannel } = await start(t, async (connection, streamId) => {
    connection.peer.sendHeaders(streamId, [":status", "200", "content-type", "text/html"]);
    await connection.sendBytes(streamId, responseBytes(10));
    connection.sendOk(streamId);
  });
  const error = await largeUnary(testChannel).then(
    () => undefined,
    (reason: unknown) => ConnectError.from(reason),
  );
  assert.equal(error?.code, Code.Unknown);
  assert.match(error?.message ?? "", /text\/html/);
});
