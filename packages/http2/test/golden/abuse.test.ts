// What a server does when a client exceeds the limits that protect it, with the limits as they are by default.
import { ErrorCode } from "@tercel/http2";
import type { ScriptedConnection, ScriptedOptions } from "@tercel/http2/testing";
import { openRecordings } from "@tercel/test-support/golden";
import { ok, patterned, post } from "../example-fields.ts";
import { openServer, type Recorded } from "./recorded-connection.ts";

const { record } = openRecordings(import.meta.filename);

interface Attack {
  readonly options?: ScriptedOptions;
  readonly begin?: (server: Recorded<ScriptedConnection>) => void;
  /** How often `send` is too often; once less is not. */
  readonly times: number;
  readonly send: (server: Recorded<ScriptedConnection>, at: number) => void;
}

const openRequest = ({ peer }: Recorded<ScriptedConnection>): void => peer.sendHeaders(1, post);

const attacks: Readonly<Record<string, Attack>> = {
  "resets of requests": {
    times: 1001,
    send: ({ peer }, at) => {
      peer.sendHeaders(2 * at + 1, post);
      peer.sendReset(2 * at + 1, ErrorCode.cancel);
    },
  },
  "stream errors": {
    times: 201,
    send: ({ peer }, at) => peer.sendHeaders(2 * at + 1, [...post, "Upper", "case"]),
  },
  "empty DATA frames": { begin: openRequest, times: 1001, send: ({ peer }) => peer.sendData(1, "") },
  "PRIORITY frames": { times: 1001, send: ({ peer }) => peer.sendPriority(1) },
  SETTINGS: { times: 1001, send: ({ peer }) => peer.sendSettings() },
  "window updates for nothing": { times: 1006, send: ({ peer }) => peer.sendWindowUpdate(0, 1) },
  "unknown frames": { times: 1001, send: ({ peer }) => peer.sendFrame({ type: 0xbe, streamId: 1 }) },
  "small DATA frames that are not used up": {
    options: {
      limits: { windows: { connectionBytes: 65_535 } },
      onStream: (recorded) => {
        recorded.consumes = false;
      },
    },
    begin: openRequest,
    times: 5462,
    send: ({ peer }) => peer.sendData(1, "x"),
  },
  "CONTINUATION frames": {
    begin: ({ peer }) => peer.sendHeaders(1, Buffer.of(0x83), { endHeaders: false }),
    times: 6,
    send: ({ peer }) => peer.sendContinuation(1, Buffer.of(0x86), { endHeaders: false }),
  },
  "pieces of 16 KiB of a header block": {
    begin: ({ peer }) => peer.sendHeaders(1, Buffer.of(0x83), { endHeaders: false }),
    times: 2,
    send: ({ peer }) => peer.sendContinuation(1, Buffer.alloc(16_384, 0x86), { endHeaders: false }),
  },
  "header lists many times over the limit": {
    // One field of 4000 bytes that goes into the table, and then references of a byte each.
    times: 2,
    send: ({ peer }, at) => {
      const field = Buffer.concat([Buffer.of(0x40, 1, 0x78, 0x7f, 0xa1, 0x1e), Buffer.alloc(4000, "v")]);
      const references = Buffer.alloc(at === 0 ? 5 : 400, 0xbe);
      peer.sendHeaders(2 * at + 1, Buffer.concat([Buffer.of(0x83, 0x86, 0x84), field, references]));
    },
  },
  "SETTINGS of 32 and of 33 entries": {
    times: 2,
    send: ({ peer }, at) => peer.sendSettings(Array.from({ length: 32 + at }, () => [4, 1000])),
  },
};

record("floods", "floods of each kind, and what is one frame less", async (transcript) => {
  for (const [what, { options = {}, begin, times, send }] of Object.entries(attacks)) {
    transcript.connection(`${what}: ${times - 1}, and one more`);
    const server = await openServer(transcript, options);
    server.together(() => {
      begin?.(server);
      for (let at = 0; at < times - 1; at++) send(server, at);
    });
    await server.settle();
    server.together(() => send(server, times - 1));
    await server.settle();
  }
});

record("unread-pings", "pings of one chunk, of which 1000 acknowledgements are not read", async (transcript) => {
  const { peer, channel, together, settle } = await openServer(transcript, {
    limits: { frames: { maxPerTurn: 10_000 } },
  });
  channel.holdWrites();
  together(() => {
    for (let i = 0; i < 1001; i++) peer.sendPing();
  });
  await settle();
});

record("header-limits", "header lists up to the limits and over them", async (transcript) => {
  const server = await openServer(transcript);
  /** Each counts 32 bytes and its own by RFC 9113 §6.5.2; the three of a request count 131. */
  const lists = {
    "128 fields": Array.from({ length: 125 }, () => ["x", "y"]).flat(),
    "129 fields": Array.from({ length: 126 }, () => ["x", "y"]).flat(),
    "16,384 bytes": ["x", "v".repeat(16_384 - 131 - 33)],
    "16,385 bytes": ["x", "v".repeat(16_385 - 131 - 33)],
  };
  let id = -1;
  for (const [what, fields] of Object.entries(lists)) {
    id += 2;
    await server.step(what, () => server.peer.sendHeaders(id, [...post, ...fields], { endStream: true }));
  }
});

record("too-many-streams", "streams beyond the limit, and streams whose handlers outlive them", async (transcript) => {
  const server = await openServer(transcript, {
    limits: { streams: { maxConcurrent: 2 } },
    onStream: (_recorded, stream) => stream.hold(),
  });
  const { peer, stream, step } = server;
  await step("three requests", () => {
    for (const id of [1, 3, 5]) peer.sendHeaders(id, post, { endStream: true });
  });
  await step("the first is reset while its handler runs, and there is another", () => {
    peer.sendReset(1, ErrorCode.cancel);
    peer.sendHeaders(7, post);
  });
  await step("the handler has ended", () => {
    stream(1).release();
    peer.sendHeaders(9, post);
  });
});

record("stalled-readers", "peers that give no window or read nothing", async (transcript) => {
  transcript.connection("a stream whose window stays closed");
  const closed = await openServer(transcript, {}, { initialWindowSize: 10 });
  await closed.step("a response that waits", () => {
    closed.peer.sendHeaders(1, post, { endStream: true });
    closed.stream(1).sendHeaders(ok);
    closed.stream(1).sendData(patterned(20), true);
  });
  await closed.later(60_000);
  await closed.later(1000);
  transcript.connection("a socket that takes nothing");
  const stalled = await openServer(transcript, {}, { initialWindowSize: 1_000_000 });
  await stalled.step("a response that the socket holds back", () => {
    stalled.channel.holdWrites();
    stalled.peer.sendHeaders(1, post, { endStream: true });
    stalled.stream(1).sendHeaders(ok);
    stalled.stream(1).sendData(patterned(50_000), true);
  });
  await stalled.later(30_000);
  await stalled.later(1000);
});
