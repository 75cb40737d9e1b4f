import { Buffer } from "node:buffer";
import type { Readable } from "node:stream";
import type { ManifestEntry } from "../../../manifest/manifest-entry.ts";
import type { EngineEvents, WriteOutputs } from "../../engine.ts";
import { ContentDigest } from "../format/content-digest.ts";
import { hashZeros } from "../format/hash-zeros.ts";
import { blockBytes, type TarMember } from "../format/tar-header.ts";
import { memberPath } from "../format/tar-messages.ts";
import { TarReader } from "../format/tar-reader.ts";
import type { ArchiveWriter } from "./archive-writer.ts";

export interface TarRunTarget {
  readonly archive: ArchiveWriter;
  readonly outputs: WriteOutputs;
  readonly events: EngineEvents;
  /** How often the files of this run have been read before. */
  readonly round: number;
  /** What an entry's inode was when its name was given to tar; undefined where the next backup has to read it again. */
  readonly stateOf?: (path: Buffer) => string | undefined;
}

/** What a chunk has brought, in order: digests and manifest are written between chunks, not inside the parser. */
type Step =
  | { readonly kind: "content"; readonly hash: ContentDigest; readonly bytes: Buffer }
  | { readonly kind: "hole"; readonly hash: ContentDigest; readonly bytes: number }
  | { readonly kind: "end"; readonly member: TarMember; readonly hash: ContentDigest | undefined };

/** Reads what one run of GNU tar writes: into the archive without its end marker, and member by member into the manifest. */
export class TarRun {
  readonly #target: TarRunTarget;
  readonly #signal: AbortSignal;
  readonly #reader: TarReader;
  #steps: Step[] = [];
  #borders: number[] = [];
  #hash: ContentDigest | undefined;
  /** Bytes of the files that have been read. */
  sourceBytes = 0;
  files = 0;

  constructor(target: TarRunTarget, signal: AbortSignal) {
    this.#target = target;
    this.#signal = signal;
    this.#reader = new TarReader(
      {
        onMember: (member) => {
          this.#borders.push(member.offset);
          this.#hash = member.kind === "file" ? new ContentDigest() : undefined;
        },
        onContent: (bytes) => {
          if (this.#hash !== undefined) this.#steps.push({ kind: "content", hash: this.#hash, bytes });
        },
        onHole: (bytes) => {
          if (this.#hash !== undefined) this.#steps.push({ kind: "hole", hash: this.#hash, bytes });
        },
        onMemberEnd: (member) => this.#steps.push({ kind: "end", member, hash: this.#hash }),
      },
      target.archive.offset,
    );
  }

  async read(stdout: Readable): Promise<void> {
    const { archive } = this.#target;
    // Whole blocks only, so that the end marker is known before any of it is written.
    let held: Buffer = Buffer.alloc(0);
    for await (const chunk of stdout as AsyncIterable<Buffer>) {
      if (this.#reader.endOffset !== undefined) continue;
      this.#reader.push(chunk);
      const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const limit = this.#reader.endOffset ?? wholeBlocks(archive.offset + bytes.length);
      const taken = bytes.subarray(0, limit - archive.offset);
      held = bytes.subarray(taken.length);
      const borders = this.#borders;
      this.#borders = [];
      await archive.write(taken, borders);
      await this.#takeSteps();
    }
  }

  /** @throws FailureError ARCHIVE_DAMAGED when the end marker has not come */
  finish(): void {
    this.#reader.end();
  }

  async #takeSteps(): Promise<void> {
    const { outputs, round, stateOf } = this.#target;
    const steps = this.#steps;
    this.#steps = [];
    let content = 0;
    for (const step of steps) {
      if (step.kind === "content") {
        step.hash.update(step.bytes);
        content += step.bytes.length;
      } else if (step.kind === "hole") {
        await hashZeros(step.hash, step.bytes, this.#signal, (bytes) => this.#count(bytes));
      } else {
        if (step.member.kind === "file") {
          this.files++;
          this.sourceBytes += step.member.size;
        }
        const entry = toEntry(step.member, round, step.hash);
        const state = stateOf?.(entry.path);
        await outputs.addEntry(state === undefined ? entry : { ...entry, state });
      }
    }
    this.#count(content);
  }

  /** A file that is read again was counted before. */
  #count(bytes: number): void {
    if (this.#target.round === 0 && bytes > 0) this.#target.events.onBytes(bytes);
  }
}

function wholeBlocks(offset: number): number {
  return offset - (offset % blockBytes);
}

/** @param round how often its path came before */
export function toEntry(member: TarMember, round: number, hash: ContentDigest | undefined): ManifestEntry {
  const { kind, size, mode, uid, gid, mtime, linkPath, offset } = member;
  return {
    path: memberPath(member.path),
    kind,
    size,
    mode,
    uid,
    gid,
    mtime,
    ...(linkPath !== undefined && { target: kind === "hardlink" ? memberPath(linkPath) : linkPath }),
    ...(hash !== undefined && { digest: `sha256:${hash.digest()}` }),
    offset,
    ...(round > 0 && { round }),
  };
}
