// RFC 9113 §3.4, §6.5: what both sides say first, and what settings change.
import { openRecordings } from "@tercel/test-support/golden";
import { ok, patterned, post } from "../example-fields.ts";
import { openClient, openServer, recordClient, recordServer } from "./recorded-connection.ts";

const { record } = openRecordings(import.meta.filename);

record("server-defaults", "a server's first bytes with default limits", async (transcript) => {
  const { peer, step } = recordServer(transcript);
  await step("the server speaks first", () => {});
  await step("the client's SETTINGS", () => peer.sendSettings({ maxConcurrentStreams: 100 }));
  await step("the client acknowledges ours", () => peer.sendSettingsAck());
});

record("client-defaults", "a client's first bytes with default limits", async (transcript) => {
  const { peer, request, step } = recordClient(transcript);
  await step("a request before the server's SETTINGS", () => {
    request(post, { endStream: true });
  });
  await step("the server's SETTINGS", () => peer.sendSettings({ maxConcurrentStreams: 100 }));
  await step("the server acknowledges ours", () => peer.sendSettingsAck());
  await step("a response", () => peer.sendHeaders(1, ok, { endStream: true }));
});

record("other-limits", "the first bytes with limits that are not the defaults", async (transcript) => {
  const limits = {
    streams: { maxConcurrent: 7 },
    headers: { tableBytes: 100, maxListBytes: 9000 },
    frames: { maxBytes: 20_000 },
    windows: { streamBytes: 50_000, connectionBytes: 70_000 },
  };
  for (const role of ["server", "client"] as const) {
    transcript.connection(`as a ${role}`);
    const { step } = (role === "server" ? recordServer : recordClient)(transcript, { limits });
    await step("it speaks first", () => {});
  }
  transcript.connection("with the smallest window and no table");
  const { step } = recordServer(transcript, {
    limits: { headers: { tableBytes: 0 }, windows: { connectionBytes: 65_535 } },
  });
  await step("the server speaks first", () => {});
});

record("window-setting", "a change of INITIAL_WINDOW_SIZE while data waits", async (transcript) => {
  const { peer, stream, step } = await openServer(transcript, {}, { initialWindowSize: 1000 });
  await step("two requests", () => {
    peer.sendHeaders(1, post, { endStream: true });
    peer.sendHeaders(3, post, { endStream: true });
  });
  await step("each response is larger than the window", () => {
    for (const id of [1, 3]) {
      stream(id).sendHeaders(ok);
      stream(id).sendData(patterned(2500), true);
    }
  });
  await step("the windows grow by 500", () => peer.sendSettings({ initialWindowSize: 1500 }));
  await step("they shrink below zero", () => peer.sendSettings({ initialWindowSize: 100 }));
  await step("stream 1 gets as much as it lacks", () => peer.sendWindowUpdate(1, 1400));
  await step("stream 1 gets one byte more", () => peer.sendWindowUpdate(1, 1));
  await step("all windows open", () => peer.sendSettings({ initialWindowSize: 65_535 }));
});

record("frame-size-setting", "a change of MAX_FRAME_SIZE between responses", async (transcript) => {
  const { peer, stream, step } = await openServer(transcript);
  for (const [id, size] of [
    [1, 16_384],
    [3, 30_000],
    [5, 16_384],
  ] as const) {
    await step(`MAX_FRAME_SIZE is ${size}`, () => {
      peer.sendSettings({ maxFrameSize: size });
      peer.maxFrameBytes = 30_000;
      peer.sendHeaders(id, post, { endStream: true });
      stream(id).sendHeaders(ok);
      stream(id).sendData(patterned(20_000), true);
    });
  }
});

record("table-size-setting", "changes of HEADER_TABLE_SIZE between requests", async (transcript) => {
  const { peer, request, step } = await openClient(transcript);
  const fields = [...post, "x-one", "1", "x-two", "2"];
  const ask = (): void => {
    request(fields, { endStream: true });
  };
  await step("a request", ask);
  await step("the same again", ask);
  await step("the table shrinks to 40 bytes", () => peer.sendSettings({ headerTableSize: 40 }));
  await step("the same again", ask);
  await step("it goes to 0 and then to 100,000", () => {
    peer.sendSettings({ headerTableSize: 0 });
    peer.sendSettings({ headerTableSize: 100_000 });
  });
  await step("the same twice in one write", () => {
    ask();
    ask();
  });
});

record("many-settings", "SETTINGS of several frames and unknown entries", async (transcript) => {
  const { peer, step, together } = await openServer(transcript);
  await step("an unknown entry", () => peer.sendSettings([[0xf000, 1]]));
  await step("three frames in one chunk", () => {
    together(() => {
      for (let i = 0; i < 3; i++) peer.sendSettings();
    });
  });
});

record("handshake-errors", "connections that do not begin as they should", async (transcript) => {
  transcript.connection("a PING before SETTINGS");
  const first = recordServer(transcript);
  await first.step("a PING", () => first.peer.sendPing());
  transcript.connection("a server that sends no SETTINGS");
  const silent = recordClient(transcript);
  for (const ms of [9000, 1000]) await silent.later(ms);
  transcript.connection("a client that does not acknowledge ours");
  const lax = recordServer(transcript);
  await lax.step("its SETTINGS", () => lax.peer.sendSettings());
  for (const ms of [9000, 1000]) await lax.later(ms);
  transcript.connection("a frame that does not end");
  const slow = await openServer(transcript);
  await slow.step("half of a PING", () => slow.peer.sendRaw(Buffer.from("0000080600000000", "hex")));
  for (const ms of [9000, 1000, 1000]) await slow.later(ms);
});
