// RFC 9113 §5.4: how we respond to each kind of fault of a peer, debug data included.
import { ErrorCode } from "@tercel/http2";
import { buildFrame, type ScriptedPeer } from "@tercel/http2/testing";
import { openRecordings, type Transcript } from "@tercel/test-support/golden";
import { ok, patterned, post } from "../example-fields.ts";
import { openClient, openServer } from "./recorded-connection.ts";

const { record } = openRecordings(import.meta.filename);

type Fault = readonly [what: string, send: (peer: ScriptedPeer) => void];

const data = 0;
const headers = 1;
const rstStream = 3;
const settings = 4;
const ping = 6;
const goaway = 7;
const windowUpdate = 8;
const continuation = 9;

/** Each follows an open request on stream 1. */
const messageFaults: readonly Fault[] = [
  ["DATA on stream 0", (peer) => peer.sendData(0, "x")],
  ["DATA on an idle stream", (peer) => peer.sendData(5, "x")],
  [
    "DATA over the connection's window",
    (peer) => {
      for (let i = 0; i < 5; i++) peer.sendData(1, patterned(16_000));
    },
  ],
  [
    "padding longer than the frame",
    (peer) => peer.sendFrame({ type: data, flags: 8, streamId: 1, payload: Buffer.of(2, 0) }),
  ],
  ["HEADERS on stream 0", (peer) => peer.sendHeaders(0, post)],
  ["HEADERS on an even stream", (peer) => peer.sendHeaders(2, post)],
  [
    "HEADERS on an earlier stream",
    (peer) => {
      peer.sendHeaders(9, post);
      peer.sendHeaders(7, post);
    },
  ],
  ["a header block with an index beyond the table", (peer) => peer.sendHeaders(3, Buffer.of(0xff, 0x7f))],
  ["a header block that is cut off", (peer) => peer.sendHeaders(3, Buffer.of(0x44, 0x05, 0x2f))],
  [
    "a PING inside a header block",
    (peer) => {
      peer.sendHeaders(3, post, { endHeaders: false });
      peer.sendPing();
    },
  ],
  [
    "CONTINUATION of another stream",
    (peer) => {
      peer.sendHeaders(3, post, { endHeaders: false });
      peer.sendContinuation(5, Buffer.of(0x88));
    },
  ],
  ["CONTINUATION without HEADERS", (peer) => peer.sendFrame({ type: continuation, flags: 4, streamId: 3 })],
];

const controlFaults: readonly Fault[] = [
  ["PRIORITY on stream 0", (peer) => peer.sendPriority(0)],
  ["RST_STREAM on stream 0", (peer) => peer.sendReset(0, ErrorCode.cancel)],
  ["RST_STREAM on an idle stream", (peer) => peer.sendReset(5, ErrorCode.cancel)],
  ["RST_STREAM of 3 bytes", (peer) => peer.sendFrame({ type: rstStream, streamId: 1, payload: Buffer.alloc(3) })],
  ["SETTINGS on a stream", (peer) => peer.sendFrame({ type: settings, streamId: 1 })],
  ["SETTINGS of 5 bytes", (peer) => peer.sendFrame({ type: settings, payload: Buffer.alloc(5) })],
  [
    "an acknowledgement with a payload",
    (peer) => peer.sendFrame({ type: settings, flags: 1, payload: Buffer.alloc(6) }),
  ],
  ["ENABLE_PUSH of 2", (peer) => peer.sendSettings([[2, 2]])],
  ["INITIAL_WINDOW_SIZE of 2^31", (peer) => peer.sendSettings([[4, 2 ** 31]])],
  ["MAX_FRAME_SIZE of 16,383", (peer) => peer.sendSettings([[5, 16_383]])],
  [
    "INITIAL_WINDOW_SIZE that takes a window over 2^31 - 1",
    (peer) => {
      peer.sendHeaders(1, post);
      peer.sendWindowUpdate(1, 1_000_000);
      peer.sendSettings({ initialWindowSize: 2 ** 31 - 1 });
    },
  ],
  ["PUSH_PROMISE", (peer) => peer.sendPushPromise(1, 2, post)],
  ["PING on a stream", (peer) => peer.sendFrame({ type: ping, streamId: 1, payload: Buffer.alloc(8) })],
  ["PING of 7 bytes", (peer) => peer.sendFrame({ type: ping, payload: Buffer.alloc(7) })],
  ["GOAWAY on a stream", (peer) => peer.sendFrame({ type: goaway, streamId: 1, payload: Buffer.alloc(8) })],
  ["GOAWAY of 7 bytes", (peer) => peer.sendFrame({ type: goaway, payload: Buffer.alloc(7) })],
  [
    "GOAWAY that names a later stream than before",
    (peer) => {
      peer.sendHeaders(1, post);
      peer.sendGoaway(2, ErrorCode.noError);
      peer.sendGoaway(4, ErrorCode.noError);
    },
  ],
  ["WINDOW_UPDATE of 3 bytes", (peer) => peer.sendFrame({ type: windowUpdate, payload: Buffer.alloc(3) })],
  ["WINDOW_UPDATE of 0 for the connection", (peer) => peer.sendWindowUpdate(0, 0)],
  ["WINDOW_UPDATE over 2^31 - 1 for the connection", (peer) => peer.sendWindowUpdate(0, 2 ** 31 - 1)],
  ["WINDOW_UPDATE on an idle stream", (peer) => peer.sendWindowUpdate(5, 1)],
  ["a frame over the limit", (peer) => peer.sendFrame({ type: headers, streamId: 3, length: 16_385 })],
];

/** Faults that cost only their stream. Each is on a stream of its own, of one connection. */
const streamFaults: readonly (readonly [what: string, send: (peer: ScriptedPeer, id: number) => void])[] = [
  [
    "WINDOW_UPDATE of 0",
    (peer, id) => {
      peer.sendHeaders(id, post);
      peer.sendWindowUpdate(id, 0);
    },
  ],
  [
    "WINDOW_UPDATE over 2^31 - 1",
    (peer, id) => {
      peer.sendHeaders(id, post);
      peer.sendWindowUpdate(id, 2 ** 31 - 1);
    },
  ],
  [
    "DATA over the window",
    (peer, id) => {
      peer.sendHeaders(id, post);
      peer.sendData(id, patterned(1001));
    },
  ],
  [
    "DATA after the end",
    (peer, id) => {
      peer.sendHeaders(id, post, { endStream: true });
      peer.sendData(id, "x");
    },
  ],
  [
    "more data than content-length",
    (peer, id) => {
      peer.sendHeaders(id, [...post, "content-length", "2"]);
      peer.sendData(id, "abc");
    },
  ],
  [
    "less data than content-length",
    (peer, id) => {
      peer.sendHeaders(id, [...post, "content-length", "2"]);
      peer.sendData(id, "a", { endStream: true });
    },
  ],
  [
    "a second header block that is not the end",
    (peer, id) => {
      peer.sendHeaders(id, post);
      peer.sendHeaders(id, ["x-more", "1"]);
    },
  ],
  [
    "trailers with a pseudo-header field",
    (peer, id) => {
      peer.sendHeaders(id, post);
      peer.sendHeaders(id, [":path", "/"], { endStream: true });
    },
  ],
  ["a request without :path", (peer, id) => peer.sendHeaders(id, post.slice(0, 4))],
  [":path twice", (peer, id) => peer.sendHeaders(id, [...post, ":path", "/"])],
  ["a name with an upper-case letter", (peer, id) => peer.sendHeaders(id, [...post, "Upper", "case"])],
  ["a connection field", (peer, id) => peer.sendHeaders(id, [...post, "connection", "close"])],
  ["a value with a line break", (peer, id) => peer.sendHeaders(id, [...post, "x-bad", "a\nb"])],
  ["a stream that depends on itself", (peer, id) => peer.sendHeaders(id, post, { dependsOn: id })],
  ["a header list over the limit", (peer, id) => peer.sendHeaders(id, [...post, "x-long", "l".repeat(500)])],
  [
    "a header list over the limit that ends its stream",
    (peer, id) => {
      peer.sendHeaders(id, [...post, "x-long", "l".repeat(500)], { endStream: true });
    },
  ],
];

const responseFaults: readonly (readonly [what: string, send: (peer: ScriptedPeer, id: number) => void])[] = [
  ["DATA before the head", (peer, id) => peer.sendData(id, "x")],
  ["a head without :status", (peer, id) => peer.sendHeaders(id, ["x-status", "200"])],
  ["status 101", (peer, id) => peer.sendHeaders(id, [":status", "101"])],
  ["an interim head that ends the stream", (peer, id) => peer.sendHeaders(id, [":status", "100"], { endStream: true })],
  [
    "DATA after the peer's own reset",
    (peer, id) => {
      peer.sendHeaders(id, ok);
      peer.sendReset(id, ErrorCode.cancel);
      peer.sendData(id, "x");
    },
  ],
  ["a head over the limit", (peer, id) => peer.sendHeaders(id, [...ok, "x-long", "l".repeat(500)])],
  [
    "DATA over the window",
    (peer, id) => {
      peer.sendHeaders(id, ok);
      peer.sendData(id, patterned(1001));
    },
  ],
];

async function endConnections(transcript: Transcript, faults: readonly Fault[], before: Buffer[]): Promise<void> {
  for (const [what, send] of faults) {
    transcript.connection(what);
    const server = await openServer(transcript, {
      limits: { windows: { connectionBytes: 65_535 } },
      onStream: (recorded) => {
        recorded.consumes = false;
      },
    });
    server.together(() => {
      server.peer.sendRaw(...before);
      send(server.peer);
    });
    await server.settle();
  }
}

/** A request on stream 1 that stays open; its header block changes no table. */
const openRequest = buildFrame({ type: headers, flags: 4, streamId: 1, payload: Buffer.of(0x83, 0x86, 0x84) });

record("message-faults", "faults of DATA, HEADERS and CONTINUATION that end a server's connection", (transcript) =>
  endConnections(transcript, messageFaults, [openRequest]),
);

record("control-faults", "faults of other frames that end a server's connection", (transcript) =>
  endConnections(transcript, controlFaults, []),
);

record("stream-errors", "faults that end a server's stream", async (transcript) => {
  const limits = { windows: { streamBytes: 1000, connectionBytes: 65_535 }, headers: { maxListBytes: 400 } };
  const { peer, step } = await openServer(transcript, { limits });
  let id = -1;
  for (const [what, send] of streamFaults) {
    id += 2;
    await step(what, () => send(peer, id));
  }
});

record("response-errors", "faults that end a client's stream", async (transcript) => {
  const limits = { windows: { streamBytes: 1000, connectionBytes: 65_535 }, headers: { maxListBytes: 400 } };
  const { peer, request, step } = await openClient(transcript, { limits });
  let id = -1;
  for (const [what, send] of responseFaults) {
    id += 2;
    await step(what, () => {
      request(post, { endStream: true });
      send(peer, id);
    });
  }
});

record("server-faults", "faults that end a client's connection", async (transcript) => {
  const faults: readonly Fault[] = [
    ["PUSH_PROMISE", (peer) => peer.sendPushPromise(1, 2, post)],
    ["ENABLE_PUSH of 1", (peer) => peer.sendSettings({ enablePush: 1 })],
    ["HEADERS on an idle stream", (peer) => peer.sendHeaders(2, ok)],
    [
      "DATA after the end",
      (peer) => {
        peer.sendHeaders(1, ok, { endStream: true });
        peer.sendData(1, "x");
      },
    ],
    ["GOAWAY that names an even stream", (peer) => peer.sendGoaway(2, ErrorCode.noError)],
  ];
  for (const [what, send] of faults) {
    transcript.connection(what);
    const client = await openClient(transcript);
    await client.step("a request, then the fault", () => {
      client.request(post, { endStream: true });
      send(client.peer);
    });
  }
});

record("listener-errors", "a layer above that throws", async (transcript) => {
  const server = await openServer(transcript, {
    onStream: (recorded, stream) => {
      if (stream.id === 3) throw new Error("no stream for you");
      recorded.during = (call) => {
        if (call === "data") throw new Error("no data for you");
      };
    },
  });
  await server.step("it throws for data", () => {
    server.peer.sendHeaders(1, post);
    server.peer.sendData(1, "x");
  });
  await server.step("it throws for a request", () => server.peer.sendHeaders(3, post));
});
