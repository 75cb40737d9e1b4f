import { Buffer } from "node:buffer";
import type { Readable } from "node:stream";
import type { ManifestEntry } from "../../../manifest/manifest-entry.ts";
import type { EngineEvents, WriteOutputs } from "../../engine.ts";
import { ContentDigest } from "../format/content-digest.ts";
import { hashZeros } from "../format/hash-zeros.ts";
import type { TarMember } from "../format/tar-header.ts";
import { memberPath } from "../format/tar-messages.ts";
import { TarReader } from "../format/tar-reader.ts";
import type { ArchiveWriter } from "./archive-writer.ts";
import type { LookedEntry } from "./entry-states.ts";
import type { ReplacedEntries } from "./replaced-entries.ts";

export interface TarRunTarget {
  readonly archive: ArchiveWriter;
  readonly outputs: WriteOutputs;
  readonly events: EngineEvents;
  /** How often the files of this run have been read before. */
  readonly round: number;
  /** The entry as it was when its name was given to tar; undefined for a source that is a file. */
  readonly takeLooked: (path: Buffer) => LookedEntry | undefined;
  readonly replaced: ReplacedEntries;
  /** Receives files that were left out, because tar has read another file in their place. */
  readonly onReplaced: (path: Buffer) => void;
}

/** What a chunk has brought, in order: digests and manifest are written between chunks, not inside the parser. */
type Step =
  | { readonly kind: "content"; readonly hash: ContentDigest; readonly bytes: Buffer }
  | { readonly kind: "hole"; readonly hash: ContentDigest; readonly bytes: number }
  | {
      readonly kind: "end";
      readonly member: TarMember;
      readonly hash: ContentDigest | undefined;
      readonly state: string | undefined;
    };

/** Where a member begins: in the stream of tar, and in the archive, which lacks what was left out. */
interface Mark {
  readonly streamOffset: number;
  readonly archiveOffset: number;
  readonly isLeftOut: boolean;
}

/** Reads what one run of GNU tar writes: into the archive without its end marker, and member by member into the manifest. */
export class TarRun {
  readonly #target: TarRunTarget;
  readonly #signal: AbortSignal;
  readonly #reader: TarReader;
  #steps: Step[] = [];
  #marks: Mark[] = [];
  /** The member that is being read. */
  #current:
    | { readonly mark: Mark; readonly hash: ContentDigest | undefined; readonly state: string | undefined }
    | undefined;
  /** Whether what is being written is left out. */
  #isLeavingOut = false;
  /** Bytes of the files that have been read. */
  sourceBytes = 0;
  files = 0;

  constructor(target: TarRunTarget, signal: AbortSignal) {
    this.#target = target;
    this.#signal = signal;
    this.#reader = new TarReader(
      {
        onMember: (member) => this.#begin(member),
        onContent: (bytes) => {
          const hash = this.#current?.hash;
          if (hash !== undefined) this.#steps.push({ kind: "content", hash, bytes });
        },
        onHole: (bytes) => {
          const hash = this.#current?.hash;
          if (hash !== undefined) this.#steps.push({ kind: "hole", hash, bytes });
        },
        onMemberEnd: (member) => this.#end(member),
      },
      target.archive.offset,
    );
  }

  async read(stdout: Readable): Promise<void> {
    // Only what belongs to members that are known, so that those that are left out, and the end marker, are known before any of them is written.
    let held: Buffer = Buffer.alloc(0);
    let offset = this.#target.archive.offset;
    for await (const chunk of stdout as AsyncIterable<Buffer>) {
      if (this.#reader.endOffset !== undefined) continue;
      this.#reader.push(chunk);
      const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const limit = this.#reader.endOffset ?? this.#reader.knownOffset;
      const taken = bytes.subarray(0, limit - offset);
      held = bytes.subarray(taken.length);
      await this.#write(taken, offset);
      offset = limit;
      await this.#takeSteps();
    }
  }

  #begin(member: TarMember): void {
    const { takeLooked, replaced, onReplaced } = this.#target;
    const path = memberPath(member.path);
    const looked = takeLooked(path);
    const verdict = replaced.check(member, path, looked);
    if (verdict === "replaced") onReplaced(path);
    const isLeftOut = verdict !== "same";
    const before = this.#current?.mark;
    const archiveOffset =
      before === undefined
        ? member.offset
        : before.archiveOffset + (before.isLeftOut ? 0 : member.offset - before.streamOffset);
    const mark = { streamOffset: member.offset, archiveOffset, isLeftOut };
    this.#marks.push(mark);
    const hash = member.kind === "file" && !isLeftOut ? new ContentDigest() : undefined;
    this.#current = { mark, hash, state: looked?.state };
  }

  /** @throws FailureError ARCHIVE_DAMAGED when the end marker has not come */
  finish(): void {
    this.#reader.end();
  }

  #end(member: TarMember): void {
    if (this.#current === undefined || this.#current.mark.isLeftOut) return;
    const { mark, hash, state } = this.#current;
    this.#steps.push({ kind: "end", member: { ...member, offset: mark.archiveOffset }, hash, state });
  }

  /** @param offset of the bytes in the stream of tar */
  async #write(bytes: Buffer, offset: number): Promise<void> {
    const marks = this.#marks;
    this.#marks = [];
    let at = 0;
    let borders: number[] = [];
    for (const { streamOffset, archiveOffset, isLeftOut } of marks) {
      if (isLeftOut !== this.#isLeavingOut) {
        await this.#pass(bytes.subarray(at, streamOffset - offset), borders);
        at = streamOffset - offset;
        borders = [];
        this.#isLeavingOut = isLeftOut;
      }
      if (!isLeftOut) borders.push(archiveOffset);
    }
    await this.#pass(bytes.subarray(at), borders);
  }

  async #pass(bytes: Buffer, borders: readonly number[]): Promise<void> {
    if (!this.#isLeavingOut) await this.#target.archive.write(bytes, borders);
  }

  async #takeSteps(): Promise<void> {
    const { outputs, round } = this.#target;
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
        // What was read again is read again by the next backup as well.
        const { state } = step;
        await outputs.addEntry(state === undefined || round > 0 ? entry : { ...entry, state });
      }
    }
    this.#count(content);
  }

  /** A file that is read again was counted before. */
  #count(bytes: number): void {
    if (this.#target.round === 0 && bytes > 0) this.#target.events.onBytes(bytes);
  }
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
