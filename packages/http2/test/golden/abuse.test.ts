// What a server answers when a client goes over the limits that protect it, with the limits as they are by default.
import { ErrorCode } from "@tercel/http2";
import type { ScriptedConnection, ScriptedOptions } from "@tercel/http2/testing";
import { openRecordings } from "@tercel/test-support/golden";
import { ok, patterned, post } from "../example-fields.ts";
import { openServer, type Recorded } from "./recorded-connection.ts";

const { record } = openRecordings(import.meta.filename);

interface Attack {
  readonly options?: ScriptedOptions;
  readonly send: (server: Recorded<ScriptedConnection>) => void;
}

const times = (count: number, act: (at: number) => void): void => {
  for (let at = 0; at < count; at++) act(at);
};

const attacks: Readonly<Record<string, Attack>> = {
  "1001 resets of requests": {
    send: ({ peer }) =>
      times(1001, (at) => {
        peer.sendHeaders(2 * at + 1, post);
        peer.sendReset(2 * at + 1, ErrorCode.cancel);
      }),
  },
  "201 stream errors": {
    send: ({ peer }) => times(201, (at) => peer.sendHeaders(2 * at + 1, [...post, "Upper", "case"])),
  },
  "1001 empty DATA frames": {
    send: ({ peer }) => {
      peer.sendHeaders(1, post);
      times(1001, () => peer.sendData(1, ""));
    },
  },
  "1001 PRIORITY frames": { send: ({ peer }) => times(1001, () => peer.sendPriority(1)) },
  "1001 SETTINGS": { send: ({ peer }) => times(1001, () => peer.sendSettings()) },
  "1007 window updates for nothing": { send: ({ peer }) => times(1007, () => peer.sendWindowUpdate(0, 1)) },
  "1001 unknown frames": { send: ({ peer }) => times(1001, () => peer.sendFrame({ type: 0xbe, streamId: 1 })) },
  "small DATA frames that are not used up": {
    options: {
      limits: { connectionWindowBytes: 65_535 },
      onStream: (recorded) => {
        recorded.consumes = false;
      },
    },
    send: ({ peer }) => {
      peer.sendHeaders(1, post);
      times(5462, () => peer.sendData(1, "x"));
    },
  },
  "six CONTINUATION frames": {
    send: ({ peer }) => {
      peer.sendHeaders(1, Buffer.of(0x83), { endHeaders: false });
      times(6, () => peer.sendContinuation(1, Buffer.of(0x86), { endHeaders: false }));
    },
  },
  "a header block over 32 KiB": {
    send: ({ peer }) => {
      peer.sendHeaders(1, Buffer.alloc(16_384, 0x86), { endHeaders: false });
      times(2, () => peer.sendContinuation(1, Buffer.alloc(16_384, 0x86), { endHeaders: false }));
    },
  },
  "a header list many times over the limit": {
    // One field of 4000 bytes that goes into the table, and then 400 references of a byte each.
    send: ({ peer }) => {
      const field = Buffer.concat([Buffer.of(0x40, 1, 0x78, 0x7f, 0xa1, 0x1e), Buffer.alloc(4000, "v")]);
      peer.sendHeaders(1, Buffer.concat([Buffer.of(0x83, 0x86, 0x84), field, Buffer.alloc(400, 0xbe)]));
    },
  },
  "SETTINGS of 33 entries": { send: ({ peer }) => peer.sendSettings(Array.from({ length: 33 }, () => [4, 1000])) },
  "1001 pings whose answers are not read": {
    options: { limits: { maxFramesPerTurn: 10_000 } },
    send: ({ peer, channel }) => {
      channel.holdWrites();
      times(1001, () => peer.sendPing());
    },
  },
};

record("floods", "floods of each kind", async (transcript) => {
  for (const [what, { options = {}, send }] of Object.entries(attacks)) {
    transcript.connection(what);
    const server = await openServer(transcript, options);
    server.together(() => send(server));
    await server.settle();
  }
});

record("too-many-streams", "streams beyond the limit, and streams whose handlers outlive them", async (transcript) => {
  const server = await openServer(transcript, {
    limits: { maxConcurrentStreams: 2 },
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
