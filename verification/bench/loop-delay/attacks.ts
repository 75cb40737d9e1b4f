import { echoRequest, slowResponseMessage } from "./special-requests.ts";

/** The attacks of one connection. Each yields the bytes of a connection, beginning with its preface. */

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
const emptySettings = frame(4, 0, 0, Buffer.alloc(0));
const settingsAck = frame(4, 1, 0, Buffer.alloc(0));
const opening = Buffer.concat([preface, emptySettings, settingsAck, frame(8, 0, 0, uint32(2 ** 30))]);

const endStream = 1;
const endHeaders = 4;

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function frame(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(streamId, 5);
  bytes.set(payload, 9);
  return bytes;
}

/**
 * Encodes literals without indexing, so that blocks are independent of each other.
 *
 * @param method A method of EchoService, or a path
 */
function requestBlock(method: string, extra: readonly (readonly [string, string])[] = []): Buffer {
  const text = (value: string): Buffer => Buffer.concat([Buffer.of(value.length), Buffer.from(value, "latin1")]);
  const literal = (name: string, value: string): Buffer => Buffer.concat([Buffer.of(0), text(name), text(value)]);
  return Buffer.concat([
    Buffer.of(0x83, 0x86),
    literal(":path", method.startsWith("/") ? method : `/bench.echo.v1.EchoService/${method}`),
    literal("content-type", "application/grpc"),
    literal("te", "trailers"),
    ...extra.map(([name, value]) => literal(name, value)),
  ]);
}

const emptyMessage = Buffer.alloc(5);

/** Yields `parts` for each stream identifier in turn, many streams in a chunk. */
function* streams(parts: (id: number) => readonly Buffer[], perChunk: number): Generator<Buffer> {
  yield opening;
  for (let id = 1; id < 2 ** 30; ) {
    const chunk: Buffer[] = [];
    for (let i = 0; i < perChunk; i++, id += 2) chunk.push(...parts(id));
    yield Buffer.concat(chunk);
  }
}

const unary = requestBlock("Unary");
const unaryWithin1Ms = requestBlock("Unary", [["grpc-timeout", "1m"]]);
const manyFields = requestBlock(
  "Unary",
  Array.from({ length: 120 }, (_, at) => [`x-${at}`, "v"] as const),
);
/** Yields one large chunk of the same frame repeatedly. */
function flood(one: Buffer): () => Generator<Buffer> {
  return function* () {
    yield opening;
    const chunk = Buffer.concat(new Array<Buffer>(Math.floor(65_536 / one.length)).fill(one));
    for (;;) yield chunk;
  };
}

/** A field that is added to the table, and then its index as often as fits. */
const indexBomb = Buffer.concat([unary, Buffer.of(0x40, 1, 0x61, 1, 0x62), Buffer.alloc(16_000, 0xbe)]);
const largeMessage = Buffer.alloc(16_384);
/** The response is as long as the request: `payload`, field 2 of the message, fills the rest. */
largeMessage.writeUInt32BE(16_379, 1);
largeMessage.set([0x12, 0xf8, 0x7f], 5);
/** As many empty messages as fit into one frame: five bytes each. */
const emptyMessages = Buffer.alloc(5 * Math.floor(16_384 / 5));

/** Frames full of empty messages on one call of the method. */
function messageFlood(method: string): () => Generator<Buffer> {
  return function* () {
    yield opening;
    for (let id = 1; id < 2 ** 30; id += 2) {
      yield frame(1, endHeaders, id, requestBlock(method));
      const chunk = Buffer.concat(new Array<Buffer>(16).fill(frame(0, 0, id, emptyMessages)));
      for (let at = 0; at < 200; at++) yield chunk;
      yield frame(0, endStream, id, emptyMessages);
    }
  };
}

const twice = (one: Buffer): Buffer[] => [one, one];
const singleByte = (id: number): Buffer => Buffer.concat(new Array<Buffer>(6000).fill(frame(0, 0, id, Buffer.of(0))));

/** Calls of unknown methods. Their names are in trailers-only responses, which HPACK's table cannot compress. */
export function headerResponses(): Iterable<Buffer> {
  return streams((id) => [frame(1, endHeaders | endStream, id, requestBlock(String(id).padStart(96, "M")))], 100);
}

export const attacks: Readonly<Record<string, () => Iterable<Buffer>>> = {
  "nothing, for comparison": () => [opening],
  "endless calls": () => streams((id) => [frame(1, endHeaders, id, unary), frame(0, endStream, id, emptyMessage)], 400),
  "calls with 120 fields": () =>
    streams((id) => [frame(1, endHeaders, id, manyFields), frame(0, endStream, id, emptyMessage)], 60),
  "rapid resets": () => streams((id) => [frame(1, endHeaders, id, unary), frame(3, 0, id, uint32(8))], 400),
  "rapid resets of calls with short deadlines": () =>
    streams((id) => [frame(1, endHeaders, id, unaryWithin1Ms), frame(3, 0, id, uint32(8))], 400),
  "calls that are refused because handlers of reset calls still run": () => {
    const slow = echoRequest(slowResponseMessage);
    return streams(
      (id) => [frame(1, endHeaders, id, unaryWithin1Ms), frame(0, endStream, id, slow), frame(3, 0, id, uint32(8))],
      200,
    );
  },
  "resets of finished calls": () =>
    streams(
      (id) => [
        frame(1, endHeaders, id, unary),
        frame(0, endStream, id, emptyMessage),
        ...twice(frame(3, 0, id, uint32(8))),
      ],
      400,
    ),
  "data on finished streams": () =>
    streams((id) => [frame(1, endHeaders, id, requestBlock("Missing")), singleByte(id)], 1),
  "data on a half-closed stream": function* () {
    yield opening;
    yield Buffer.concat([frame(1, endHeaders, 1, unary), frame(0, endStream, 1, emptyMessage)]);
    const bytes = singleByte(1);
    for (;;) yield bytes;
  },
  "resets that the server has to send": () =>
    streams((id) => [frame(1, endHeaders, id, unary), frame(8, 0, id, uint32(0))], 400),
  pings: flood(frame(6, 0, 0, Buffer.alloc(8))),
  settings: flood(emptySettings),
  "window updates": flood(frame(8, 0, 0, uint32(1))),
  priorities: flood(frame(2, 0, 1, Buffer.of(0, 0, 0, 3, 0))),
  "frames of unknown types": flood(frame(0x99, 0, 0, Buffer.alloc(0))),
  "empty data": function* () {
    yield opening;
    yield frame(1, endHeaders, 1, requestBlock("ClientStream"));
    const chunk = Buffer.concat(new Array<Buffer>(7000).fill(frame(0, 0, 1, Buffer.alloc(0))));
    for (;;) yield chunk;
  },
  "data after a fatal GOAWAY": function* () {
    yield opening;
    yield frame(1, endHeaders, 1, requestBlock("ClientStream"));
    // DATA on stream 0 ends the connection.
    const chunk = Buffer.concat(new Array<Buffer>(60).fill(frame(0, 0, 0, Buffer.alloc(16_384))));
    for (;;) yield chunk;
  },
  "an endless header block": function* () {
    yield opening;
    yield frame(1, 0, 1, unary);
    const chunk = Buffer.concat(new Array<Buffer>(7000).fill(frame(9, 0, 1, Buffer.alloc(0))));
    for (;;) yield chunk;
  },
  "16,000 fields for as many bytes": () => streams((id) => [frame(1, endHeaders | endStream, id, indexBomb)], 4),
  "calls without a window for the responses": function* () {
    const closedWindow = frame(4, 0, 0, Buffer.of(0, 4, 0, 0, 0, 0));
    const calls = streams((id) => [frame(1, endHeaders, id, unary), frame(0, endStream, id, largeMessage)], 4);
    calls.next();
    yield Buffer.concat([preface, closedWindow, settingsAck]);
    yield* calls;
  },
  "data in single bytes": function* () {
    yield opening;
    yield frame(1, endHeaders, 1, requestBlock("ClientStream"));
    const bytes = singleByte(1);
    for (;;) yield bytes;
  },
  "frames full of empty messages": messageFlood("ClientStream"),
  "frames full of empty messages for a unary method": messageFlood("Unary"),
  "data in large frames": () =>
    streams((id) => {
      const message = Buffer.alloc(16_384);
      message.writeUInt32BE(16_384 * 100 - 5, 1);
      const rest = frame(0, 0, id, Buffer.alloc(16_384));
      return [
        frame(1, endHeaders, id, requestBlock("ClientStream")),
        frame(0, 0, id, message),
        ...new Array<Buffer>(98).fill(rest),
        frame(0, endStream, id, Buffer.alloc(16_384)),
      ];
    }, 1),
};
