import { Buffer } from "node:buffer";
import { setImmediate } from "node:timers/promises";
import { FailureError, throwIfCancelled } from "../../failure/failure.ts";
import { createDigestCheck, type DigestCheck, damagedFile } from "../../manifest/digest-check.ts";
import type { FoundFile } from "../../manifest/find-file.ts";
import type { ArchiveImage, EngineEvents } from "../engine.ts";
import { TarReader } from "./format/tar-reader.ts";
import { openArchive } from "./open-archive.ts";

const zeros = Buffer.alloc(1024 * 1024);

/** Compares files with their digests. Those that begin in one frame are read together. */
export async function verifyMembers(
  { archivePath }: ArchiveImage,
  files: readonly FoundFile[],
  events: EngineEvents,
  signal: AbortSignal,
): Promise<void> {
  const byFrame = Map.groupBy(files, ({ frame }) => frame?.fileOffset ?? 0);
  for (const group of byFrame.values()) await verifyGroup(archivePath, group, events, signal);
}

async function verifyGroup(
  archivePath: string,
  group: readonly FoundFile[],
  events: EngineEvents,
  signal: AbortSignal,
): Promise<void> {
  const waiting = new Map(group.map(({ entry }) => [entry.offset ?? 0, entry]));
  const first = group[0];
  if (first === undefined) return;
  /** The member that is being read, and those that have ended in this chunk. */
  const state: { open: OpenMember | undefined; ended: OpenMember[] } = { open: undefined, ended: [] };
  // Digests of a chunk are made between chunks: a hole may be of terabytes.
  const reader = new TarReader(
    {
      onMember({ offset, size }) {
        const entry = waiting.get(offset);
        if (entry === undefined) return;
        if (entry.size !== size) damagedFile(entry.path);
        state.open = { check: createDigestCheck(entry), steps: [] };
      },
      onContent: (bytes) => void state.open?.steps.push(bytes),
      onHole: (bytes) => void state.open?.steps.push(bytes),
      onMemberEnd({ offset }) {
        waiting.delete(offset);
        if (state.open !== undefined) state.ended.push(state.open);
        state.open = undefined;
      },
    },
    first.entry.offset ?? 0,
  );
  const read = async (): Promise<void> => {
    for await (const chunk of openArchive(archivePath, first)) {
      throwIfCancelled(signal);
      reader.push(chunk);
      for (const member of state.ended.splice(0)) {
        await feed(member, events, signal);
        member.check.end();
      }
      if (state.open !== undefined) await feed(state.open, events, signal);
      if (waiting.size === 0) return;
    }
  };
  await read().catch((error) => {
    // Bytes that cannot be decompressed have no name; the file that they belong to has.
    const hasName = !(error instanceof FailureError) || error.failure.path !== undefined;
    if (hasName || error.failure.reason !== "ARCHIVE_DAMAGED") throw error;
  });
  for (const { path } of waiting.values()) damagedFile(path);
}

interface OpenMember {
  readonly check: DigestCheck;
  /** What has come of it and is not hashed yet; a number is a hole of so many zeros. */
  readonly steps: (Buffer | number)[];
}

async function feed({ check, steps }: OpenMember, events: EngineEvents, signal: AbortSignal): Promise<void> {
  for (const step of steps.splice(0)) {
    if (typeof step !== "number") {
      check.update(step);
      events.onBytes(step.length);
      continue;
    }
    for (let left = step; left > 0; left -= Math.min(left, zeros.length)) {
      check.update(zeros.subarray(0, left));
      events.onBytes(Math.min(left, zeros.length));
      await setImmediate();
      throwIfCancelled(signal);
    }
  }
}
