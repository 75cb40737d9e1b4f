// Each limit that a peer strikes is told once, by its name and with what followed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type ConnectionLimitOptions, ErrorCode, type LimitName, limitNames } from "../src/index.ts";
import { SharedStreamLimit } from "../src/internal.ts";
import { createScriptedClient, createScriptedServer, type ScriptedConnection } from "../src/testing/index.ts";
import { ok, patterned, post } from "./example-fields.ts";

interface Strike {
  readonly told: readonly string[];
  readonly limits?: ConnectionLimitOptions;
  readonly streamPlaces?: SharedStreamLimit;
  readonly role?: "client";
  /** The connection is used as it is, without SETTINGS and their acknowledgement. */
  readonly noHandshake?: boolean;
  strike(scripted: ScriptedConnection): void | Promise<void>;
}

const tooMany = ["x", "y"] as const;

const strikes: Partial<Record<LimitName, Strike>> = {
  handshake_timeout: {
    told: ["handshake_timeout closed"],
    noHandshake: true,
    strike: ({ clock }) => clock.advance(10_000),
  },
  settings_ack_timeout: {
    told: ["settings_ack_timeout closed"],
    noHandshake: true,
    strike({ peer, clock }) {
      peer.sendSettings();
      clock.advance(10_000);
    },
  },
  frame_timeout: {
    told: ["frame_timeout closed"],
    strike({ peer, clock }) {
      peer.sendRaw(Buffer.of(0, 0, 8));
      clock.advance(11_000);
    },
  },
  frame_size: {
    told: ["frame_size closed"],
    strike: ({ peer }) => peer.sendFrame({ type: 9, payload: Buffer.alloc(16_385) }),
  },
  settings_entries: {
    told: ["settings_entries closed"],
    strike: ({ peer }) => peer.sendSettings(Array.from({ length: 33 }, () => [0x99, 0] as const)),
  },
  streams: {
    told: ["streams refused"],
    limits: { streams: { maxConcurrent: 1 } },
    strike({ peer }) {
      peer.sendHeaders(1, post);
      peer.sendHeaders(3, post);
    },
  },
  shared_streams: {
    told: ["shared_streams refused"],
    streamPlaces: new SharedStreamLimit(1),
    strike({ peer }) {
      peer.sendHeaders(1, post);
      peer.sendHeaders(3, post);
    },
  },
  header_list: {
    told: ["header_list refused", "header_list closed"],
    limits: { headers: { maxListBytes: 1024 } },
    strike({ peer }) {
      peer.sendHeaders(1, [...post, "x", "v".repeat(1000)], { endStream: true });
      peer.sendHeaders(3, [...post, "x", "v".repeat(5000)], { endStream: true });
    },
  },
  large_header_list: {
    told: ["large_header_list warned"],
    strike({ peer }) {
      // Name, value and 32 for each field (RFC 9113 §6.5.2); one byte decides.
      const head = listBytesOf(post);
      peer.sendHeaders(1, [...post, "x", "v".repeat(8192 - head - 33)], { endStream: true });
      peer.sendHeaders(3, [...post, "x", "v".repeat(8192 - head - 32)], { endStream: true });
    },
  },
  header_block: {
    told: ["header_block closed"],
    limits: { headers: { maxContinuationFrames: 0 } },
    strike({ peer }) {
      peer.sendHeaders(1, peer.encodeHeaders(post), { endHeaders: false });
      peer.sendContinuation(1, new Uint8Array(0));
    },
  },
  interim_heads: {
    told: ["interim_heads reset"],
    role: "client",
    strike({ peer, connection }) {
      connection.request(post, [], true, silent);
      for (let i = 0; i < 17; i++) peer.sendHeaders(1, [":status", "103"]);
    },
  },
  resets: {
    told: ["resets closed"],
    limits: { budgets: { peerResets: { burst: 0 } } },
    strike({ peer }) {
      peer.sendHeaders(1, post);
      peer.sendReset(1, ErrorCode.cancel);
    },
  },
  caused_resets: {
    told: ["caused_resets closed"],
    limits: { budgets: { causedResets: { burst: 0 } } },
    strike: ({ peer }) => peer.sendHeaders(1, ["only", "one"]),
  },
  glitches: {
    told: ["glitches closed"],
    limits: { budgets: { glitches: { burst: 0 } } },
    strike: ({ peer }) => peer.sendPriority(1),
  },
  control_frames: {
    told: ["control_frames paused"],
    async strike({ peer, channel, settle }) {
      channel.holdWrites();
      for (let i = 0; i < 150; i++) peer.sendPing();
      await settle();
    },
  },
  output_backlog: {
    told: ["output_backlog paused", "output_backlog closed"],
    limits: { output: { pauseAtBacklogBytes: 100, maxBacklogBytes: 200 } },
    async strike({ peer, channel, events, settle }) {
      peer.sendHeaders(1, post, { endStream: true });
      peer.sendHeaders(3, post, { endStream: true });
      channel.holdWrites();
      for (const id of [1, 3]) {
        events.stream(id).stream?.sendHeaders([...ok, `x-${id}`, "v".repeat(160)]);
        await settle();
      }
    },
  },
  output_stall: {
    told: ["output_stall closed"],
    limits: { output: { maxStalledBytes: 100 } },
    strike({ peer, clock, events }) {
      peer.sendSettings({ initialWindowSize: 0 });
      peer.sendHeaders(1, post);
      events.stream(1).stream?.sendHeaders(ok);
      events.stream(1).stream?.sendData(patterned(101));
      clock.advance(32_000);
    },
  },
  pings: {
    told: ["pings closed"],
    limits: { controlFrames: { minPingIntervalMs: 1000, minIdlePingIntervalMs: 1000 } },
    strike({ peer }) {
      for (let i = 0; i < 4; i++) peer.sendPing();
    },
  },
  write_stall: {
    told: ["write_stall closed"],
    strike({ peer, channel, clock, events }) {
      peer.sendHeaders(1, post, { endStream: true });
      channel.holdWrites();
      events.stream(1).stream?.sendHeaders(ok);
      return new Promise((resolve) => {
        setImmediate(() => {
          clock.advance(32_000);
          resolve();
        });
      });
    },
  },
  stream_stall: {
    told: ["stream_stall reset"],
    strike({ peer, clock, events }) {
      peer.sendSettings({ initialWindowSize: 0 });
      peer.sendHeaders(1, post, { endStream: true });
      events.stream(1).stream?.sendHeaders(ok);
      events.stream(1).stream?.sendData(patterned(10), true);
      clock.advance(62_000);
    },
  },
};

/** Exceeded before there is a connection: see sockets.test.ts and connection-floods.test.ts. */
const ofTheListener: readonly LimitName[] = [
  "connections",
  "connections_per_address",
  "tls_handshakes",
  "file_handles",
];
/** See small-data.test.ts, unfinished-messages.test.ts and waiting-output.test.ts. */
const elsewhere: readonly LimitName[] = ["small_data", "unfinished_messages", "waiting_output"];

function listBytesOf(fields: readonly string[]): number {
  return fields.join("").length + 16 * fields.length;
}

const silent = { onHead() {}, onData() {}, onTrailers() {}, onEnd() {}, onReset() {}, onWritable() {} };

for (const [name, { told, limits = {}, streamPlaces, role, noHandshake, strike }] of Object.entries(strikes)) {
  test(`tells that the peer has exceeded the limit ${name}`, async () => {
    const options = { limits, ...(streamPlaces !== undefined && { streamPlaces }) };
    const scripted = role === "client" ? createScriptedClient(options) : createScriptedServer(options);
    if (noHandshake !== true) await scripted.peer.shakeHands();
    assert.deepEqual(scripted.events.limits, []);
    await strike(scripted);
    await scripted.settle();
    assert.deepEqual(scripted.events.limits, told);
  });
}

test("tells of each large header list up to the limit and of none beyond, of trailers too, and takes them", async () => {
  const { peer, events, settle } = createScriptedServer({
    limits: { headers: { maxListBytes: 2000, largeListBytes: 1000 } },
  });
  await peer.shakeHands();
  const request = (listBytes: number) => [...post, "x", "v".repeat(listBytes - listBytesOf(post) - 33)];
  for (const [nth, listBytes] of [1000, 1001, 2000, 2001].entries()) {
    peer.sendHeaders(1 + 2 * nth, request(listBytes), { endStream: true });
  }
  await settle();
  assert.deepEqual(events.limits, ["large_header_list warned", "large_header_list warned", "header_list refused"]);
  assert.equal(events.streams.size, 3);
});

test("tells of no large header list where that is switched off, nor on the client", async () => {
  const large = ["x", "v".repeat(1500)];
  const server = createScriptedServer({ limits: { headers: { largeListBytes: 0, maxListBytes: 2000 } } });
  await server.peer.shakeHands();
  server.peer.sendHeaders(1, [...post, ...large], { endStream: true });
  await server.settle();
  const client = createScriptedClient({ limits: { headers: { maxListBytes: 2000 } } });
  await client.peer.shakeHands();
  client.connection.request(post, [], true, silent);
  client.peer.sendHeaders(1, [...ok, ...large], { endStream: true });
  await client.settle();
  assert.deepEqual([server.events.limits, client.events.limits], [[], []]);
});

test("has a test for each limit of its list", () => {
  assert.deepEqual([...Object.keys(strikes), ...ofTheListener, ...elsewhere].sort(), [...limitNames].sort());
});

test("reports nothing while a peer stays within every limit", async () => {
  const { peer, events, settle } = createScriptedServer();
  await peer.shakeHands();
  for (let id = 1; id < 400; id += 2) {
    peer.sendHeaders(id, [...post, ...Array.from({ length: 125 }, () => tooMany).flat()]);
    peer.sendData(id, patterned(10), { endStream: true, padding: 255 });
  }
  for (let id = 1; id < 400; id += 2) peer.sendReset(id, ErrorCode.cancel);
  await settle();
  assert.equal(events.streams.size, 200);
  assert.deepEqual(events.limits, []);
});

test("ends the connection by its own rules when the one who is told throws", async () => {
  const { peer, events } = createScriptedServer({ limits: { budgets: { glitches: { burst: 0 } } } });
  events.onLimit = () => {
    throw new Error("the book is full");
  };
  await peer.shakeHands();
  peer.sendPriority(1);
  await peer.expectGoaway(ErrorCode.enhanceYourCalm, "too_many_glitches");
});
