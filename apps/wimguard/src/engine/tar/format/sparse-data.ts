import { Buffer } from "node:buffer";
import { fail } from "../../../failure/failure.ts";
import type { TarEvents } from "./tar-events.ts";
import { blockBytes, type TarMember } from "./tar-header.ts";

/** The data of a sparse member as it flows by. */
export interface SparseData {
  push(bytes: Buffer): void;
  /** Reports the hole at the end of the file. */
  end(): void;
}

/** Room for 300,000 pieces; more is an attack on our memory. */
const maxMapBytes = 8 * 1024 * 1024;

/**
 * Turns the data of a sparse member (GNU format 1.0) back into content and holes. It begins with a map: the number of pieces, then offset
 * and length of each, one decimal number a line, filled up to a block.
 */
export function createSparseData(member: TarMember, events: TarEvents): SparseData {
  let mapText: Buffer | undefined = Buffer.alloc(0);
  let pieces: readonly { readonly offset: number; readonly bytes: number }[] = [];
  let piece = 0;
  let takenOfPiece = 0;
  let position = 0;

  function takeMap(bytes: Buffer, map: Buffer): Buffer {
    const text = Buffer.concat([map, bytes]);
    if (text.length > maxMapBytes) damaged(member, "its map is too long");
    const parsed = parseMap(member, text);
    if (parsed === undefined) {
      mapText = text;
      return Buffer.alloc(0);
    }
    mapText = undefined;
    pieces = parsed.pieces;
    return text.subarray(parsed.mapBytes);
  }

  function skipTo(offset: number): void {
    if (offset > position) events.onHole?.(offset - position);
    position = offset;
  }

  return {
    push(bytes) {
      let rest = mapText === undefined ? bytes : takeMap(bytes, mapText);
      while (rest.length > 0) {
        const current = pieces[piece];
        if (current === undefined) damaged(member, "it has more data than its map says");
        const taken = rest.subarray(0, current.bytes - takenOfPiece);
        if (takenOfPiece === 0) skipTo(current.offset);
        if (taken.length > 0) events.onContent?.(taken);
        position += taken.length;
        takenOfPiece += taken.length;
        rest = rest.subarray(taken.length);
        if (takenOfPiece < current.bytes) continue;
        piece++;
        takenOfPiece = 0;
      }
    },
    end() {
      if (mapText !== undefined) damaged(member, "its map is cut off");
      skipTo(member.size);
    },
  };
}

function parseMap(member: TarMember, text: Buffer) {
  const numbers: number[] = [];
  let at = 0;
  while (numbers.length === 0 || numbers.length < 1 + 2 * (numbers[0] as number)) {
    const end = text.indexOf(0x0a, at);
    if (end < 0) return undefined;
    const digits = text.toString("latin1", at, end);
    if (!/^\d{1,15}$/.test(digits)) damaged(member, "its map is not numbers");
    numbers.push(Number(digits));
    at = end + 1;
  }
  const mapBytes = Math.ceil(at / blockBytes) * blockBytes;
  if (text.length < mapBytes) return undefined;
  const pieces = [];
  let position = 0;
  for (let index = 1; index < numbers.length; index += 2) {
    const [offset, bytes] = [numbers[index] as number, numbers[index + 1] as number];
    if (offset < position || offset + bytes > member.size) damaged(member, "its map leaves the file");
    pieces.push({ offset, bytes });
    position = offset + bytes;
  }
  return { pieces, mapBytes };
}

function damaged(member: TarMember, problem: string): never {
  const path = member.path.toString();
  fail({
    reason: "ARCHIVE_DAMAGED",
    engine: "tar",
    path,
    message: `damaged sparse file ${JSON.stringify(path)}: ${problem}`,
  });
}
