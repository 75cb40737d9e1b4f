import type { Buffer } from "node:buffer";
import { createReadStream } from "node:fs";
import { throwIfCancelled } from "../../failure/failure.ts";
import { type FramePart, readFrames } from "../../zstd/zstd-frames.ts";
import type { ArchiveImage, EngineEvents, WriteOutputs, WrittenArchive } from "../engine.ts";
import { ContentDigest } from "./format/content-digest.ts";
import { hashZeros } from "./format/hash-zeros.ts";
import { MemberGate } from "./format/member-gate.ts";
import type { TarMember } from "./format/tar-header.ts";
import { TarReader } from "./format/tar-reader.ts";
import { isCompressed } from "./restore-tar.ts";
import { toEntry } from "./write/tar-run.ts";

const readBytes = 1024 * 1024;

type Step =
  | { readonly kind: "content"; readonly hash: ContentDigest; readonly bytes: Buffer }
  | { readonly kind: "hole"; readonly hash: ContentDigest; readonly bytes: number }
  | { readonly kind: "end"; readonly member: TarMember; readonly hash: ContentDigest | undefined };

/**
 * Makes a manifest of an archive that is there already, whoever wrote it. All of it is read.
 *
 * @throws FailureError ARCHIVE_DAMAGED, or MEMBER_UNSAFE for one that must not be restored
 */
export async function indexTar(
  { archivePath }: ArchiveImage,
  outputs: Pick<WriteOutputs, "addEntry" | "addFrame">,
  events: EngineEvents,
  signal: AbortSignal,
): Promise<WrittenArchive> {
  const gate = new MemberGate();
  /** Paths that came before: a later member of the same path replaces the earlier one. */
  const rounds = new Map<string, number>();
  let steps: Step[] = [];
  let hash: ContentDigest | undefined;
  let [sourceBytes, files] = [0, 0];
  const reader = new TarReader({
    onMember(member) {
      gate.check(member);
      hash = member.kind === "file" ? new ContentDigest() : undefined;
    },
    onContent: (bytes) => void (hash !== undefined && steps.push({ kind: "content", hash, bytes })),
    onHole: (bytes) => void (hash !== undefined && steps.push({ kind: "hole", hash, bytes })),
    onMemberEnd: (member) => void steps.push({ kind: "end", member, hash }),
  });

  async function takeSteps(): Promise<void> {
    const taken = steps;
    steps = [];
    for (const step of taken) {
      if (step.kind === "content") {
        step.hash.update(step.bytes);
      } else if (step.kind === "hole") {
        await hashZeros(step.hash, step.bytes, signal);
      } else {
        const key = step.member.path.toString("latin1");
        const round = rounds.has(key) ? (rounds.get(key) ?? 0) + 1 : 0;
        rounds.set(key, round);
        if (step.member.kind === "file") {
          files++;
          sourceBytes += step.member.size;
        }
        await outputs.addEntry(toEntry(step.member, round, step.hash));
      }
    }
  }

  let frame = { offset: 0, fileOffset: 0 };
  let offset = 0;
  for await (const part of partsOf(archivePath, events)) {
    throwIfCancelled(signal);
    if (part.kind === "skippable") continue;
    if (part.kind === "end") {
      await outputs.addFrame({ offset: frame.offset, bytes: offset - frame.offset, fileOffset: frame.fileOffset });
      frame = { offset, fileOffset: part.fileOffset };
    } else {
      offset += part.bytes.length;
      reader.push(part.bytes);
      await takeSteps();
    }
  }
  reader.end();
  return { sourceBytes, files, image: 1 };
}

/** Progress counts bytes of the file: how much there is to come is known of nothing else. */
async function* partsOf(archivePath: string, events: EngineEvents): AsyncGenerator<FramePart> {
  const raw = counted(createReadStream(archivePath, { highWaterMark: readBytes }), events);
  if (await isCompressed(archivePath)) yield* readFrames(raw);
  else for await (const bytes of raw) yield { kind: "data", bytes };
}

async function* counted(chunks: AsyncIterable<Buffer>, events: EngineEvents): AsyncGenerator<Buffer> {
  for await (const bytes of chunks) {
    events.onBytes(bytes.length);
    yield bytes;
  }
}
