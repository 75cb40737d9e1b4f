import { HpackEncoder } from "../../../packages/http2/src/hpack/index.ts";
import { buildFrame, uint32 } from "../../../packages/http2/src/testing/index.ts";
import type { Random } from "../../harness/random.ts";

const type = { data: 0, headers: 1, priority: 2, settings: 4, ping: 6, windowUpdate: 8, continuation: 9 };
const flag = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 32 };

/** A valid connection of a client, after the preface. All conforming servers respond to it in the same way. */
export interface Session {
  bytes: Buffer;
  /** Streams that must get a response. */
  requests: number[];
}

/** The rest of a request, frame by frame. */
interface Request {
  id: number;
  bodyLeft: number;
  sendsTrailers: boolean;
}

export function createSession(random: Random): Session {
  const encoder = new HpackEncoder();
  const frames: Buffer[] = [settings(random), buildFrame({ type: type.settings, flags: flag.ack })];
  // The connection's window must have room for the responses. Streams may have to wait for theirs.
  frames.push(buildFrame({ type: type.windowUpdate, payload: uint32(10_000_000) }));
  const requests: number[] = [];
  const open: Request[] = [];
  let nextId = 1;
  const count = 1 + random.below(12);
  while (requests.length < count || open.length > 0) {
    if (requests.length < count && random.below(3) === 0) {
      const request = {
        id: nextId,
        bodyLeft: random.below(3) === 0 ? 0 : random.below(3000),
        sendsTrailers: random.below(4) === 0,
      };
      const endStream = request.bodyLeft === 0 && !request.sendsTrailers && random.below(2) === 0;
      frames.push(...headers(encoder, request, endStream, random));
      requests.push(nextId);
      if (!endStream) open.push(request);
      nextId += random.below(5) === 0 ? 4 : 2;
    } else if (open.length > 0 && random.below(2) === 0) {
      const request = random.pick(open);
      if (proceed(request, encoder, frames, random)) open.splice(open.indexOf(request), 1);
    } else frames.push(...aside(requests, random));
  }
  for (const id of requests)
    frames.push(buildFrame({ type: type.windowUpdate, streamId: id, payload: uint32(1_000_000) }));
  return { bytes: Buffer.concat(frames), requests };
}

function settings(random: Random): Buffer {
  const entries: [number, number][] = [[4, random.pick([0, 1, 100, 65_535, 1_000_000])]];
  if (random.below(2) === 0) entries.push([1, random.pick([0, 100, 4096, 65_536])]);
  if (random.below(2) === 0) entries.push([2, 0]);
  if (random.below(3) === 0) entries.push([5, random.pick([16_384, 100_000])]);
  if (random.below(4) === 0) entries.push([0xf0f0, 7]);
  return buildFrame({
    type: type.settings,
    payload: Buffer.concat(entries.map(([id, value]) => Buffer.concat([Buffer.of(id >> 8, id), uint32(value)]))),
  });
}

function headers(encoder: HpackEncoder, request: Request, endStream: boolean, random: Random): Buffer[] {
  const fields = [
    ":method",
    random.pick(["POST", "PUT", "PATCH"]),
    ":scheme",
    "http",
    ":authority",
    "a.example",
    ":path",
    `/${request.id}`,
  ];
  for (let left = random.below(6); left > 0; left--) fields.push(`field-${random.below(20)}`, value(random));
  if (request.bodyLeft > 0 && random.below(3) === 0) fields.push("content-length", String(request.bodyLeft));
  if (random.below(3) === 0) fields.push("te", "trailers");
  return block(encoder, request.id, fields, endStream, random);
}

function block(
  encoder: HpackEncoder,
  streamId: number,
  fields: string[],
  endStream: boolean,
  random: Random,
): Buffer[] {
  const target = Buffer.alloc(encoder.maxEncodedBytes(fields));
  const bytes = target.subarray(0, encoder.encode(fields, target, 0));
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length || pieces.length === 0; ) {
    const isLast = pieces.length === 3 || random.below(3) > 0;
    const end = isLast ? bytes.length : Math.min(at + random.below(40), bytes.length);
    pieces.push(bytes.subarray(at, end));
    at = end;
    if (isLast) break;
  }
  return pieces.map((piece, at) => {
    const ends = at === pieces.length - 1 ? flag.endHeaders : 0;
    if (at > 0) return buildFrame({ type: type.continuation, flags: ends, streamId, payload: piece });
    const first = framed(
      piece,
      random.below(4) === 0 ? Buffer.concat([uint32(0), Buffer.of(random.below(256))]) : undefined,
      random,
    );
    return buildFrame({
      type: type.headers,
      streamId,
      flags: ends | first.flags | (endStream ? flag.endStream : 0),
      payload: first.payload,
    });
  });
}

/** Adds padding, and priority fields before the content. */
function framed(content: Buffer, priority: Buffer | undefined, random: Random): { flags: number; payload: Buffer } {
  const inner = priority === undefined ? content : Buffer.concat([priority, content]);
  const flags = priority === undefined ? 0 : flag.priority;
  if (random.below(4) > 0) return { flags, payload: inner };
  const padding = random.below(60);
  return { flags: flags | flag.padded, payload: Buffer.concat([Buffer.of(padding), inner, Buffer.alloc(padding)]) };
}

/** Sends the next piece of a request's body, or its end. Returns true if it was the last. */
function proceed(request: Request, encoder: HpackEncoder, frames: Buffer[], random: Random): boolean {
  const { id: streamId } = request;
  if (request.bodyLeft === 0 && request.sendsTrailers) {
    frames.push(...block(encoder, streamId, ["checksum", value(random)], true, random));
    return true;
  }
  const take = Math.min(request.bodyLeft, 1 + random.below(1200));
  request.bodyLeft -= take;
  const endStream = request.bodyLeft === 0 && !request.sendsTrailers;
  const { flags, payload } = framed(
    Buffer.alloc(take, String.fromCharCode(0x61 + random.below(26))),
    undefined,
    random,
  );
  frames.push(buildFrame({ type: type.data, streamId, flags: flags | (endStream ? flag.endStream : 0), payload }));
  return endStream;
}

/** Sends a frame that may be between the frames of requests. */
function aside(requests: readonly number[], random: Random): Buffer[] {
  switch (random.below(5)) {
    case 0:
      return [buildFrame({ type: type.ping, payload: Buffer.from("pingping") })];
    case 1:
      return [buildFrame({ type: type.windowUpdate, payload: uint32(1 + random.below(1000)) })];
    case 2:
      return requests.length === 0
        ? []
        : [
            buildFrame({
              type: type.windowUpdate,
              streamId: random.pick(requests),
              payload: uint32(1 + random.below(1000)),
            }),
          ];
    case 3:
      return [
        buildFrame({
          type: type.priority,
          streamId: 1 + 2 * random.below(40),
          payload: Buffer.concat([uint32(0), Buffer.of(random.below(256))]),
        }),
      ];
    default:
      return [
        settings(random),
        buildFrame({
          type: 0xb0 + random.below(16),
          flags: random.below(256),
          payload: Buffer.alloc(random.below(20)),
        }),
      ];
  }
}

function value(random: Random): string {
  return String.fromCharCode(...Array.from({ length: random.below(60) }, () => 0x21 + random.below(0x5e)));
}
