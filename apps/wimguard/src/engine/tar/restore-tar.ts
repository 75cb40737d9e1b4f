import { Buffer } from "node:buffer";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import type { Writable } from "node:stream";
import { fail } from "../../failure/failure.ts";
import { displayPath, type ManifestEntry } from "../../manifest/manifest-entry.ts";
import { everything, type RestoreSelection, selectPaths } from "../../restore/restore-selection.ts";
import { decompressFrames } from "../../zstd/zstd-frames.ts";
import type { EngineEvents, ReadTask } from "../engine.ts";
import { runProgram } from "../run-program.ts";
import { untilDrained } from "../until-drained.ts";
import { ContentDigest } from "./format/content-digest.ts";
import { formatMember } from "./format/format-member.ts";
import { hashZeros } from "./format/hash-zeros.ts";
import { MemberGate } from "./format/member-gate.ts";
import { blockBytes, type TarMember } from "./format/tar-header.ts";
import { TarReader } from "./format/tar-reader.ts";

const readBytes = 1024 * 1024;
const zstdMagic = 0xfd2fb528;
const setIdBits = 0o6000;
const isRoot = process.geteuid?.() === 0;

/**
 * Extracts a tar archive into an empty folder by GNU tar, which only gets members that were checked: against the manifest, for a
 * name that leads out of the folder, and for links on their way.
 */
export async function restoreTar(
  task: ReadTask,
  entries: (() => AsyncIterable<ManifestEntry>) | undefined,
  events: EngineEvents,
  signal: AbortSignal,
): Promise<{ readonly files: number }> {
  const selection = task.paths.length === 0 ? everything : await selectPaths(task.paths, entries?.() ?? noEntries());
  const problems: string[] = [];
  let files = 0;
  const end = await runProgram(
    {
      engine: "tar",
      program: "tar",
      args: extractOptions(task),
      onErrorLine: (line) => takeErrorLine(line, events, problems),
      async feed(stdin) {
        files = await feedMembers(stdin, task, { selection, entries, events, signal });
      },
      async read(stdout) {
        for await (const _ of stdout);
      },
    },
    signal,
  );
  const problem = problems[0] ?? (end.code > 2 ? (end.lastLines.at(-1) ?? `exit code ${end.code}`) : undefined);
  if (problem === undefined) return { files };
  const isFull = problems.some((text) => /No space left on device|Disk quota exceeded/.test(text));
  fail({
    reason: isFull ? "NO_SPACE" : "IO_FAILED",
    engine: "tar",
    path: task.folder,
    message: isFull ? `no space left in ${task.folder}` : `tar could not restore: ${problem}`,
  });
}

async function* noEntries(): AsyncGenerator<ManifestEntry> {}

/** Reads an archive from its beginning, or that of a frame, to its last byte: decompressed, as members. */
export async function readTarArchive(
  archivePath: string,
  take: (bytes: Buffer) => Promise<void> | void,
  start = 0,
): Promise<void> {
  const raw: AsyncIterable<Buffer> = createReadStream(archivePath, { start, highWaterMark: readBytes });
  const bytes = (await isCompressed(archivePath)) ? decompressFrames(raw) : raw;
  for await (const chunk of bytes) await take(chunk);
}

/** By its first bytes: a name says nothing. */
export async function isCompressed(archivePath: string): Promise<boolean> {
  const file = await open(archivePath);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return bytesRead === 4 && buffer.readUInt32LE(0) === zstdMagic;
  } finally {
    await file.close();
  }
}

function extractOptions({ folder, keepOwner }: ReadTask): string[] {
  return [
    "--extract",
    "--file=-",
    `--directory=${folder}`,
    "--numeric-owner",
    isRoot && keepOwner ? "--same-owner" : "--no-same-owner",
    "--same-permissions",
    "--acls",
    "--xattrs",
    // Other classes of attributes are root's.
    `--xattrs-include=${isRoot ? "*" : "user.*"}`,
    "--delay-directory-restore",
    // 64 KiB at a time instead of 10.
    "--blocking-factor=128",
    "--quoting-style=escape",
    "--warning=no-timestamp",
  ];
}

function takeErrorLine(line: string, events: EngineEvents, problems: string[]): void {
  const text = line.replace(/^tar: /, "");
  if (/^Exiting with failure status/.test(text)) return;
  if (/setxattr|xattr|acl/i.test(text) && !/No space left/.test(text)) {
    events.onWarning({ reason: "METADATA_LOST", path: Buffer.alloc(0), message: text });
    return;
  }
  problems.push(text);
}

interface Feeding {
  readonly selection: RestoreSelection;
  readonly entries: (() => AsyncIterable<ManifestEntry>) | undefined;
  readonly events: EngineEvents;
  readonly signal: AbortSignal;
}

/** A member on its way, with what is known of it so far. */
interface PassingMember {
  readonly path: Buffer;
  readonly member: TarMember;
  readonly hash: ContentDigest | undefined;
}

/** What a chunk has brought, in order: the manifest is read between chunks, not inside the parser. */
type Step =
  | { readonly kind: "member"; readonly headers: Buffer | undefined }
  | { readonly kind: "data"; readonly bytes: Buffer }
  | { readonly kind: "content"; readonly hash: ContentDigest; readonly bytes: Buffer }
  | { readonly kind: "hole"; readonly hash: ContentDigest; readonly bytes: number }
  | { readonly kind: "end"; readonly passing: PassingMember };

async function feedMembers(stdin: Writable, task: ReadTask, feeding: Feeding): Promise<number> {
  const { selection, entries, events, signal } = feeding;
  const gate = new MemberGate();
  const expected = entries?.()[Symbol.asyncIterator]();
  let steps: Step[] = [];
  let passing: PassingMember | undefined;
  let isSelected = false;
  let files = 0;
  const reader = new TarReader({
    onMember(member) {
      const path = gate.check(member);
      const name = nameToRestore(member, path, selection, events);
      isSelected = name !== undefined;
      passing = { path, member, hash: member.kind === "file" ? new ContentDigest() : undefined };
      const headers = name === undefined ? undefined : formatMember(toRestored(member, name, selection));
      steps.push({ kind: "member", headers });
    },
    onRaw(bytes) {
      if (isSelected) steps.push({ kind: "data", bytes });
    },
    onContent(bytes) {
      if (passing?.hash !== undefined) steps.push({ kind: "content", hash: passing.hash, bytes });
    },
    onHole(bytes) {
      if (passing?.hash !== undefined) steps.push({ kind: "hole", hash: passing.hash, bytes });
    },
    onMemberEnd() {
      if (passing !== undefined) steps.push({ kind: "end", passing });
    },
  });

  async function checkEnd(ended: PassingMember): Promise<void> {
    if (ended.member.kind === "file") files++;
    if (expected === undefined) return;
    const next = await expected.next();
    checkAgainst(ended, next.done === true ? undefined : next.value);
  }

  await readTarArchive(task.archivePath, async (bytes) => {
    reader.push(bytes);
    const taken = steps;
    steps = [];
    // One system call for all of them.
    stdin.cork();
    for (const step of taken) {
      if (step.kind === "data") {
        events.onBytes(step.bytes.length);
        stdin.write(step.bytes);
      } else if (step.kind === "content") step.hash.update(step.bytes);
      else if (step.kind === "hole") await hashZeros(step.hash, step.bytes, signal);
      else if (step.kind === "end") await checkEnd(step.passing);
      else if (step.headers !== undefined) stdin.write(step.headers);
    }
    stdin.uncork();
    await untilDrained(stdin);
  });
  reader.end();
  const left = await expected?.next();
  if (left !== undefined && left.done !== true) damaged(left.value.path, "it is missing in the archive");
  stdin.end(Buffer.alloc(2 * blockBytes));
  return files;
}

function nameToRestore(
  member: TarMember,
  path: Buffer,
  selection: RestoreSelection,
  events: EngineEvents,
): Buffer | undefined {
  const name = selection.nameOf(path, member.kind === "folder");
  if (name === undefined || isRoot) return name;
  if (member.device !== undefined) {
    events.onWarning({ reason: "METADATA_LOST", path, message: "devices can only be restored by root" });
    return undefined;
  }
  if ((member.mode & setIdBits) !== 0) {
    events.onWarning({ reason: "METADATA_LOST", path, message: "set-user-ID bits can only be restored by root" });
  }
  return name;
}

/** The source itself is the folder, or for a source that is a file, its only member. */
function toRestored(member: TarMember, name: Buffer, selection: RestoreSelection): TarMember {
  const path = name.length === 0 ? (member.kind === "folder" ? Buffer.from("./") : member.path) : name;
  const mode = isRoot ? member.mode : member.mode & ~setIdBits;
  if (member.kind !== "hardlink" || member.linkPath === undefined) return { ...member, path, mode };
  const target = member.linkPath.subarray(member.linkPath.toString("latin1").startsWith("./") ? 2 : 0);
  return { ...member, path, mode, linkPath: selection.targetOf(target) };
}

function checkAgainst({ path, member, hash }: PassingMember, entry: ManifestEntry | undefined): void {
  if (entry === undefined || !entry.path.equals(path) || entry.kind !== member.kind) {
    damaged(path, "the manifest of the backup does not have it here");
  }
  const digest = hash === undefined ? undefined : `sha256:${hash.digest()}`;
  if (entry.size !== member.size || entry.digest !== digest) damaged(path, "its content is not what was backed up");
}

function damaged(path: Buffer, problem: string): never {
  const name = displayPath(path);
  fail({
    reason: "ARCHIVE_DAMAGED",
    engine: "tar",
    path: name,
    message: `the archive is damaged or was replaced: ${JSON.stringify(name)}: ${problem}`,
  });
}
