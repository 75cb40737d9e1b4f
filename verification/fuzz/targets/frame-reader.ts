/** The frame reader finds the same frames as a reader with all bytes, for any chunks. */
import assert from "node:assert/strict";
import { Http2Error } from "@tercel/http2";
import { FrameReader } from "../../../packages/http2/src/frame/frame-reader.ts";
import { workOfFrame } from "../../../packages/http2/src/frame/turn-work.ts";
import { scanFrames } from "../../../packages/http2/test/properties/frame-scan.ts";
import { assertSameTexts } from "./assert-same.ts";
import { cut } from "./cut.ts";
import { WireSource } from "./wire-source.ts";

/** Above the sizes at which an incomplete frame gets memory from a pool, and DATA is delivered in pieces. */
const maxFrameBytes = 4200;
const maxCuts = 8;

export function fuzz(bytes: Uint8Array): void {
  const source = new WireSource(bytes);
  const framesPerTurn = 1 + (source.byte() & 7);
  const stopAfter = source.byte();
  const cuts = source.take(source.byte() % maxCuts);
  const rest = source.rest();

  const seen: string[] = [];
  let pieces: Uint8Array[] = [];
  const reader = new FrameReader(
    {
      onFrame({ type, flags, streamId, isPiece }, bytes, start, end) {
        if (isPiece) {
          assert.ok(end > start, "an empty piece");
          pieces.push(Uint8Array.from(bytes.subarray(start, end)));
          return;
        }
        seen.push(describe(type, flags, streamId, Buffer.concat([...pieces, bytes.subarray(start, end)])));
        pieces = [];
        if (seen.length === stopAfter) reader.stop();
      },
    },
    maxFrameBytes,
  );
  let error: unknown;
  try {
    for (const chunk of cut(rest, cuts)) {
      let at = 0;
      for (;;) {
        reader.work.done = 0;
        const next = reader.read(chunk, at, framesPerTurn * workOfFrame);
        if (next === chunk.length) break;
        assert.ok(next > at, "no progress");
        at = next;
      }
    }
  } catch (thrown) {
    error = thrown;
  }

  const { frames, tooLong } = expected(rest);
  const most = stopAfter === 0 ? frames.length : Math.min(stopAfter, frames.length);
  assertSameTexts(seen, frames.slice(0, most));
  assert.equal(reader.framesRead, most);
  const isStopped = stopAfter !== 0 && most === stopAfter;
  if (tooLong && !isStopped) assert.ok(error instanceof Http2Error && error.scope === "connection");
  else assert.equal(error, undefined);
}

/** Returns the frames before the first one over the limit. */
function expected(bytes: Uint8Array): { frames: string[]; tooLong: boolean } {
  const scan = scanFrames(bytes);
  let at = 0;
  const frames: string[] = [];
  for (const { type, flags, streamId, payload } of scan.frames) {
    if (payload.length > maxFrameBytes) return { frames, tooLong: true };
    frames.push(describe(type, flags, streamId, payload));
    at += 9 + payload.length;
  }
  const next = bytes.subarray(at);
  const length = ((next[0] ?? 0) << 16) | ((next[1] ?? 0) << 8) | (next[2] ?? 0);
  return { frames, tooLong: next.length >= 9 && length > maxFrameBytes };
}

function describe(type: number, flags: number, streamId: number, payload: Uint8Array): string {
  return `${type} ${flags} ${streamId} ${Buffer.from(payload).toString("hex")}`;
}

export const dictionary = [
  Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0),
  Uint8Array.of(0, 0, 8, 6, 1, 0, 0, 0, 0),
  Uint8Array.of(0, 0x10, 0x68, 0, 0),
  Uint8Array.of(0, 0x10, 0x69, 0, 0),
  Uint8Array.of(0, 4, 0, 0, 0, 0, 0, 0, 1),
];
