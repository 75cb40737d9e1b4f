// RFC 9113 §5.2, §6.9: how what is sent keeps to the peer's windows and to the socket, and whose turn it is.

import type { ScriptedConnection } from "@tercel/http2/testing";
import { openRecordings } from "@tercel/test-support/golden";
import { ok, patterned, post } from "../example-fields.ts";
import { openClient, openServer, type Recorded } from "./recorded-connection.ts";

const { record } = openRecordings(import.meta.filename);

/** Opens `ids` and sends heads, so that the rest is about data. */
async function sendResponseHeads(
  { peer, stream, step }: Recorded<ScriptedConnection>,
  ids: readonly number[],
): Promise<void> {
  await step("requests and the heads of their responses", () => {
    for (const id of ids) {
      peer.sendHeaders(id, post, { endStream: true });
      stream(id).sendHeaders(ok);
    }
  });
}

record("stream-window", "a stream's window that is used up and opened", async (transcript) => {
  const server = await openServer(transcript, {}, { initialWindowSize: 10 });
  const { peer, stream, step } = server;
  await sendResponseHeads(server, [1, 3]);
  await step("data beyond the window, and trailers after it", () => {
    stream(1).sendData(patterned(25));
    stream(1).sendTrailers(["x-end", "1"]);
  });
  await step("data that waits after waiting data", () => {
    stream(3).sendData(patterned(12));
    stream(3).sendData(patterned(3));
    stream(3).sendData(Buffer.alloc(0), true);
  });
  await step("14 bytes for stream 1", () => peer.sendWindowUpdate(1, 14));
  await step("the last byte, and the trailers with it", () => peer.sendWindowUpdate(1, 1));
  await step("more than stream 3 needs", () => peer.sendWindowUpdate(3, 1000));
});

record("connection-window", "the connection's window, shared by streams that wait", async (transcript) => {
  const server = await openServer(transcript, {}, { initialWindowSize: 100_000 });
  const { peer, stream, step } = server;
  await sendResponseHeads(server, [1, 3, 5]);
  await step("stream 1 takes almost all of it", () => {
    stream(1).sendData(patterned(60_000), true);
  });
  await step("three pieces that do not fit, in the order 5, 3, 5", () => {
    stream(5).sendData(patterned(30_000));
    stream(3).sendData(patterned(20_000));
    stream(5).sendData(patterned(1000), true);
  });
  await step("35,000 bytes: the streams take turns by frames", () => peer.sendWindowUpdate(0, 35_000));
  await step("a stream's window opens while the connection's is closed", () => peer.sendWindowUpdate(3, 100_000));
  await step("small data of another stream waits in the queue", () => {
    stream(3).sendData(patterned(10), true);
  });
  await step("the rest", () => peer.sendWindowUpdate(0, 1_000_000));
});

record("turns", "the turns of streams that wait for different windows", async (transcript) => {
  const server = await openServer(transcript, {}, { initialWindowSize: 1000 });
  const { peer, stream, step } = server;
  const ids = [1, 3, 5, 7];
  await step("the connection's window is large", () => peer.sendWindowUpdate(0, 1_000_000));
  await sendResponseHeads(server, ids);
  await step("all four have 40,000 bytes", () => {
    for (const id of ids) stream(id).sendData(patterned(40_000), true);
  });
  await step("windows open for 5, 1 and 7, in one chunk", () => {
    server.together(() => {
      peer.sendWindowUpdate(5, 20_000);
      peer.sendWindowUpdate(1, 5000);
      peer.sendWindowUpdate(7, 100_000);
    });
  });
  await step("stream 1 is reset while it waits", () => stream(1).reset());
  await step("all windows open", () => peer.sendSettings({ initialWindowSize: 1_000_000 }));
});

record("large-payloads", "payloads that travel as buffers of their own", async (transcript) => {
  const server = await openServer(transcript, {}, { initialWindowSize: 1_000_000, maxFrameSize: 16_384 });
  const { peer, stream, step } = server;
  await step("the connection's window is large", () => peer.sendWindowUpdate(0, 1_000_000));
  await sendResponseHeads(server, [1, 3]);
  for (const bytes of [8191, 8192, 16_384, 16_385, 50_000]) {
    await step(`${bytes} bytes between two small pieces`, () => {
      stream(1).sendData(Buffer.from("before"));
      stream(1).sendData(patterned(bytes));
      stream(1).sendData(Buffer.from("after"));
    });
  }
  await step("buffers that are given, on two streams in turn", () => {
    for (const id of [1, 3]) stream(id).giveData(new Uint8Array(patterned(40_000)));
    for (const id of [1, 3]) stream(id).sendTrailers(["x-id", String(id)]);
  });
});

record("given-buffers", "buffers that are given to a window that is too small for them", async (transcript) => {
  const server = await openServer(transcript, {}, { initialWindowSize: 30_000 });
  const { peer, stream, step } = server;
  await sendResponseHeads(server, [1]);
  await step("50,000 bytes", () => {
    stream(1).giveData(new Uint8Array(patterned(50_000)));
    stream(1).sendTrailers(["x-end", "1"]);
  });
  await step("the window opens", () => peer.sendWindowUpdate(1, 50_000));
});

record("socket-backlog", "a socket that takes nothing while streams and the connection write", async (transcript) => {
  const limits = { output: { connectionBufferBytes: 30_000 } };
  const server = await openServer(transcript, { limits }, { initialWindowSize: 1_000_000 });
  const { peer, stream, step, channel } = server;
  await step("the connection's window is large", () => peer.sendWindowUpdate(0, 1_000_000));
  await sendResponseHeads(server, [1, 3]);
  channel.holdWrites();
  await step("50,000 bytes on stream 1, 10 on stream 3", () => {
    stream(1).sendData(patterned(50_000), true);
    stream(3).sendData(patterned(10));
  });
  await step("a PING, and a head of another stream", () => {
    peer.sendPing("0102030405060708");
    peer.sendHeaders(5, post, { endStream: true });
    stream(5).sendHeaders(ok, true);
  });
  await step("the socket has taken all of it", () => channel.releaseWrites());
  await step("more on stream 3", () => {
    stream(3).sendData(patterned(10), true);
  });
});

record(
  "default-backlog",
  "a socket that takes nothing of 3 MiB, with the limits as they are by default",
  async (transcript) => {
    const settings = { initialWindowSize: 10_000_000 };
    const server = await openServer(transcript, {}, settings);
    const { peer, stream, step, channel } = server;
    await step("the connection's window is large", () => peer.sendWindowUpdate(0, 10_000_000));
    await sendResponseHeads(server, [1]);
    channel.holdWrites();
    await step("1 MiB at once, and 2 MiB later", () => {
      stream(1).sendData(Buffer.alloc(1_048_576));
      stream(1).sendData(Buffer.alloc(2_097_152), true);
    });
    await step("30 frames have left", () => channel.releaseWrites(30 * (9 + 16_384)));
    await step("all have left", () => channel.releaseWrites());
  },
);

record("client-upload", "a client's uploads through the default windows", async (transcript) => {
  const { peer, request, step } = await openClient(transcript);
  await step("two requests of 50,000 bytes", () => {
    for (let i = 0; i < 2; i++) request(post).stream?.sendData(patterned(50_000), true);
  });
  await step("the server has read 30,000 bytes of the first", () => {
    peer.sendWindowUpdate(0, 30_000);
    peer.sendWindowUpdate(1, 30_000);
  });
  await step("the rest", () => peer.sendWindowUpdate(0, 30_000));
});
