// RFC 9113 §6.4, §6.7, §6.8: pings, resets, and the ways in which a connection ends without an error.
import { ErrorCode } from "@tercel/http2";
import { openRecordings } from "@tercel/test-support/golden";
import { ok, patterned, post } from "../example-fields.ts";
import { openClient, openServer, recordServer } from "./recorded-connection.ts";

const { record } = openRecordings(import.meta.filename);

record("pings", "acknowledgements of pings, and pings of our own", async (transcript) => {
  const { peer, connection, step, together } = await openServer(transcript);
  await step("a ping", () => peer.sendPing("ff00a55a01020304"));
  await step("an acknowledgement of a ping that was not sent", () => peer.sendPing("0000000000000009", { ack: true }));
  await step("600 in one chunk", () => {
    together(() => {
      for (let i = 0; i < 600; i++) peer.sendPing();
    });
  });
  await step("two of ours", () => {
    void connection.ping();
    void connection.ping();
  });
  await step("their acknowledgements", () => {
    for (const number of [2, 1]) peer.sendPing(`000000000000000${number}`, { ack: true });
  });
});

record("unread-pings", "pings of a peer that does not read the acknowledgements", async (transcript) => {
  const { peer, channel, step, together } = await openServer(transcript);
  channel.holdWrites();
  await step("99, and 101 in another chunk", () => {
    for (const count of [99, 101]) {
      together(() => {
        for (let i = 0; i < count; i++) peer.sendPing();
      });
    }
  });
  await step("100 more", () => {
    together(() => {
      for (let i = 0; i < 100; i++) peer.sendPing();
    });
  });
  await step("the peer reads", () => channel.releaseWrites());
});

record("keepalive", "keepalive pings of a client", async (transcript) => {
  const keepalive = { timeMs: 10_000, timeoutMs: 5000 };
  const { peer, request, step, later } = await openClient(transcript, { keepalive });
  await later(20_000);
  await step("a first request, in the second in which something has come", () => {
    peer.sendPing();
    request(post).stream?.reset();
  });
  await later(20_000);
  await step("the first after a silence", () => {
    request(post);
  });
  await later(4000);
  await step("the acknowledgement", () => peer.sendPing("0000000000000001", { ack: true }));
  await later(10_000);
  await later(1000);
  await step("anything counts as an acknowledgement", () => peer.sendHeaders(3, ok));
  await later(11_000);
  await later(4000);
  await later(1000);
});

record("ping-policy", "a server that wants fewer pings", async (transcript) => {
  const { peer, step, later } = await openServer(transcript, {
    limits: { controlFrames: { minPingIntervalMs: 10_000, minIdlePingIntervalMs: 60_000 } },
  });
  await step("a ping", () => peer.sendPing());
  await later(10_000);
  await step("a second, and with a stream a third", () => {
    peer.sendPing();
    peer.sendHeaders(1, post);
    peer.sendPing();
  });
  await later(5000);
  await step("a fourth", () => peer.sendPing());
});

record("server-drain", "a server's drain with open streams", async (transcript) => {
  const { peer, connection, stream, step } = await openServer(transcript);
  await step("a request", () => peer.sendHeaders(1, post, { endStream: true }));
  await step("drain", () => connection.drain("shutdown"));
  await step("a request that crosses the GOAWAY, and the acknowledgement of the ping", () => {
    peer.sendHeaders(3, post);
    peer.sendPing("0000000000000001", { ack: true });
  });
  await step("a request after the last stream", () => {
    peer.sendHeaders(5, post);
    peer.sendData(5, patterned(100), { endStream: true });
  });
  await step("one response, and the reset of the other stream", () => {
    stream(1).sendHeaders(ok, true);
    peer.sendReset(3, ErrorCode.cancel);
  });
});

record(
  "drain-timeouts",
  "drains whose ping is not acknowledged, of idle and of old connections",
  async (transcript) => {
    transcript.connection("the ping is not acknowledged");
    const first = await openServer(transcript);
    await first.step("a request", () => first.peer.sendHeaders(1, post));
    await first.step("drain", () => first.connection.drain());
    await first.later(4999);
    await first.later(1);
    transcript.connection("idle for too long");
    const idle = await openServer(transcript);
    await idle.later(15 * 60_000);
    await idle.later(1000);
    await idle.step("the acknowledgement", () => idle.peer.sendPing("0000000000000001", { ack: true }));
    transcript.connection("too old, and then over its time of grace");
    const old = await openServer(transcript, { limits: { life: { maxAgeMs: 10_000, maxAgeGraceMs: 5000 } } });
    await old.step("a request", () => old.peer.sendHeaders(1, post));
    // The age varies by a tenth.
    await old.later(8000);
    await old.later(4000);
    await old.step("the acknowledgement", () => old.peer.sendPing("0000000000000001", { ack: true }));
    await old.later(6000);
  },
);

record("client-drain", "a client's drain", async (transcript) => {
  const { peer, connection, request, step } = await openClient(transcript);
  await step("a request and the drain", () => {
    request(post, { endStream: true });
    connection.drain("bye");
  });
  await step("the response", () => peer.sendHeaders(1, ok, { endStream: true }));
});

record("peer-goaway", "the peer's GOAWAY in either role", async (transcript) => {
  transcript.connection("a client");
  const client = await openClient(transcript);
  await client.step("three requests", () => {
    for (let i = 0; i < 3; i++) client.request(post);
  });
  await client.step("GOAWAY that names the second", () => client.peer.sendGoaway(3, ErrorCode.noError, "soon"));
  await client.step("responses to the first two", () => {
    for (const id of [1, 3]) client.peer.sendHeaders(id, ok, { endStream: true });
    for (const id of [1, 3]) client.peer.sendReset(id, ErrorCode.noError);
  });
  transcript.connection("a server");
  const server = await openServer(transcript);
  await server.step("a request and GOAWAY", () => {
    server.peer.sendHeaders(1, post, { endStream: true });
    server.peer.sendGoaway(0, ErrorCode.noError);
  });
  await server.step("the response", () => server.stream(1).sendHeaders(ok, true));
});

record("close", "an end at once in either role", async (transcript) => {
  transcript.connection("a server");
  const server = await openServer(transcript);
  await server.step("a request with a response that waits", () => {
    server.peer.sendHeaders(1, post);
    server.stream(1).sendHeaders(ok);
    server.stream(1).sendData(patterned(70_000));
  });
  await server.step("close", () => server.connection.close(ErrorCode.noError, "the server shut down"));
  transcript.connection("a server before the handshake");
  const early = recordServer(transcript);
  await early.step("close", () => early.connection.close());
  transcript.connection("a client");
  const client = await openClient(transcript);
  await client.step("a request and the end in one turn, with a reason that is not ASCII", () => {
    client.request(post, { endStream: true });
    client.connection.close(ErrorCode.internalError, "größer\n");
  });
  await client.later(1000);
});

record("resets", "resets by either side", async (transcript) => {
  transcript.connection("a server");
  const server = await openServer(transcript);
  const { peer, stream, step } = server;
  await step("a response that waits for its window", () => {
    peer.sendHeaders(1, post);
    stream(1).sendHeaders(ok);
    stream(1).sendData(patterned(70_000), true);
  });
  await step("the peer resets it", () => peer.sendReset(1, ErrorCode.cancel));
  await step("the window opens for nothing", () => peer.sendWindowUpdate(0, 100_000));
  await step("we reset a request, and its rest crosses that", () => {
    peer.sendHeaders(3, post);
    stream(3).reset(ErrorCode.internalError);
    peer.sendData(3, "late");
    peer.sendHeaders(3, ["x-late", "1"], { endStream: true });
  });
  await step("a reset and a head in one turn", () => {
    peer.sendHeaders(5, post);
    stream(5).sendHeaders(ok);
    stream(5).reset();
  });
  await step("a response before the end of the request, which is not wanted any more", () => {
    peer.sendHeaders(7, post);
    stream(7).resetWhenSent(ErrorCode.noError);
    stream(7).sendHeaders(ok, true);
  });
  transcript.connection("a client");
  const client = await openClient(transcript);
  await client.step("a request that is reset in a later turn", () => {
    const { stream } = client.request(post);
    setImmediate(() => stream?.reset());
  });
  await client.step("a response that has crossed the reset", () => {
    client.peer.sendHeaders(1, ok);
    client.peer.sendData(1, patterned(1000), { endStream: true });
  });
});
