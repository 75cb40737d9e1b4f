// RFC 9113 §6.9: when the peer gets credit, and how windows grow.
import type { ScriptedConnection } from "@tercel/http2/testing";
import { openRecordings } from "@tercel/test-support/golden";
import { ok, patterned, post } from "../example-fields.ts";
import { openClient, openServer, type Recorded } from "./recorded-connection.ts";

const { record } = openRecordings(import.meta.filename);

const frame = patterned(16_384);

/** Sends so many frames of 16 KiB, `perChunk` of them at once. */
function upload(server: Recorded<ScriptedConnection>, streamId: number, frames: number, perChunk = 4): void {
  for (let sent = 0; sent < frames; sent += perChunk) {
    server.together(() => {
      for (let i = 0; i < perChunk; i++) server.peer.sendData(streamId, frame);
    });
  }
}

record("default-windows", "credit with default windows, for data that is used up at once", async (transcript) => {
  const server = await openServer(transcript);
  await server.step("two requests", () => {
    for (const id of [1, 3]) server.peer.sendHeaders(id, post);
  });
  for (let round = 0; round < 9; round++) {
    await server.step("8 × 16 KiB on each stream", () => {
      for (const id of [1, 3]) upload(server, id, 8);
    });
  }
});

record("window-growth", "windows that grow when a round trip fills them", async (transcript) => {
  const server = await openServer(transcript);
  const { peer, step, later } = server;
  await step("a request", () => peer.sendHeaders(1, post));
  await step("a quarter of the window", () => upload(server, 1, 16));
  await later(100);
  await step("three quarters before the PING is acknowledged", () => upload(server, 1, 48, 8));
  await step("the acknowledgement", () => peer.sendPing("0000000000000001", { ack: true }));
  await step("a quarter of the larger window", () => upload(server, 1, 64, 16));
  await later(100);
  await step("three quarters of it, and then the acknowledgement", () => {
    upload(server, 1, 192, 16);
    peer.sendPing("0000000000000002", { ack: true });
  });
  await step("the same in twice the time: the link is not faster", () => upload(server, 1, 256, 64));
  await later(200);
  await step("the acknowledgement", () => {
    upload(server, 1, 640, 64);
    peer.sendPing("0000000000000003", { ack: true });
  });
});

record("unread-data", "credit for data that is not used up, or later", async (transcript) => {
  const limits = { windows: { streamBytes: 1000, connectionBytes: 65_535 } };
  const { peer, step, stream } = await openServer(transcript, {
    limits,
    onStream: (recorded) => {
      recorded.consumes = false;
    },
  });
  await step("a request with as much as the window takes", () => {
    peer.sendHeaders(1, post);
    peer.sendData(1, patterned(1000));
  });
  await step("499 bytes are used up", () => stream(1).consume(499));
  await step("one more", () => stream(1).consume(1));
  await step("more than came", () => stream(1).consume(10_000));
  await step("padding, which is never used up", () => {
    for (let i = 0; i < 4; i++) peer.sendData(1, "x", { padding: 200 });
  });
  await step("the end of the request, and then its data is used up", () => {
    peer.sendData(1, "end", { endStream: true });
    stream(1).consume(7);
  });
});

record("credit-ahead", "credit for the connection while one stream is not read", async (transcript) => {
  const server = await openServer(transcript, {
    onStream: (recorded, opened) => {
      recorded.consumes = opened.id !== 1;
    },
  });
  const { peer, step, stream } = server;
  await step("a request that fills its window", () => {
    peer.sendHeaders(1, post);
    upload(server, 1, 64);
  });
  await step("another, which is read", () => {
    peer.sendHeaders(3, post);
    upload(server, 3, 40);
  });
  await step("the first is read, too", () => stream(1).consume(1_048_576));
});

record("discarded-data", "credit for data of streams that are over", async (transcript) => {
  const limits = { windows: { connectionBytes: 65_535, streamBytes: 40_000 } };
  const { peer, step, stream } = await openServer(transcript, {
    limits,
    onStream: (recorded) => {
      recorded.consumes = false;
    },
  });
  await step("a request with 13,000 bytes, which we reset", () => {
    peer.sendHeaders(1, post);
    peer.sendData(1, patterned(13_000));
    stream(1).reset();
  });
  await step("20,000 bytes that have crossed the reset", () => {
    for (let i = 0; i < 2; i++) peer.sendData(1, patterned(10_000));
  });
  await step("a request that the peer resets", () => {
    peer.sendHeaders(3, post);
    peer.sendData(3, patterned(13_000));
    peer.sendReset(3, 8);
  });
  await step("another with as much", () => {
    peer.sendHeaders(5, post);
    for (let i = 0; i < 2; i++) peer.sendData(5, patterned(13_000));
    stream(5).consume(26_000);
  });
});

record("unfinished-messages", "credit for bytes that are lent until their message is complete", async (transcript) => {
  const limits = { windows: { streamBytes: 10_000, connectionBytes: 65_535 } };
  const { peer, step, stream } = await openServer(transcript, {
    limits,
    onStream: (recorded) => {
      recorded.consumes = false;
    },
  });
  await step("a message that is longer than the window begins", () => {
    peer.sendHeaders(1, post);
    peer.sendData(1, patterned(10_000));
    stream(1).lend(10_000);
  });
  await step("its end", () => {
    peer.sendData(1, patterned(5000));
    stream(1).messageComplete();
  });
  await step("it is used up", () => {
    stream(1).repay();
    stream(1).consume(5000);
  });
});

record("client-download", "a client's credit for a response", async (transcript) => {
  const client = await openClient(transcript);
  const { peer, request, step } = client;
  const recorded = request(post, { endStream: true });
  recorded.consumes = false;
  await step("a head and 1 MiB that is not read", () => {
    peer.sendHeaders(1, ok);
    upload(client, 1, 64);
  });
  await step("half of it is read", () => recorded.stream?.consume(524_288));
  await step("the response ends with the rest unread", () => peer.sendHeaders(1, ["x-end", "1"], { endStream: true }));
});
