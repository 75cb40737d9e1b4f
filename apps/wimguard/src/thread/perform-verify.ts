import { hashFile } from "../archive/hash-file.ts";
import type { EngineName } from "../engine/compression.ts";
import type { ArchiveImage, EngineEvents } from "../engine/engine.ts";
import { engines } from "../engine/engines.ts";
import { FailureError, fail } from "../failure/failure.ts";
import type { FoundFile } from "../manifest/find-file.ts";
import { readFrames, readLastEntries } from "../manifest/last-entries.ts";

/** An archive to check. */
export interface VerifyJob extends ArchiveImage {
  readonly engine: EngineName;
  readonly manifestPath: string;
  /** Of the archive as it was written, in hexadecimal. */
  readonly sha256: string;
  /** Of the data: 0 checks the structure, 100 everything. */
  readonly percent: number;
}

/** What was read and found to be as it was backed up. */
export interface PerformedVerify {
  readonly files: number;
  readonly bytes: number;
}

/** Each is remembered while they are read. */
const maxSample = 100_000;

/** @throws FailureError ARCHIVE_DAMAGED that names the first file that differs, if one does */
export async function performVerify(
  job: VerifyJob,
  events: EngineEvents,
  signal: AbortSignal,
  random: () => number = Math.random,
): Promise<PerformedVerify> {
  const { engine, archivePath, sha256, percent } = job;
  events.onPhase("verifying");
  if (engine === "restic" && percent < 100) {
    // What it has read is not what this snapshot has: nothing of it is counted.
    await engines[engine].check(job, percent, events, signal);
    return { files: 0, bytes: 0 };
  }
  if (engine === "restic") return verifySnapshot(job, events, signal);
  if (percent === 0) {
    await engines[engine].verify(archivePath, events, signal);
    return { files: 0, bytes: 0 };
  }
  // The same bytes were read back and compared with their digests when they were written.
  const isWhole = percent === 100 && (await hashFile(archivePath, signal)) === sha256;
  const files = await chooseFiles(job, isWhole, random);
  const bytes = files.reduce((sum, { entry }) => sum + entry.size, 0);
  events.onTotal(bytes, files.length);
  if (isWhole) {
    events.onReached(bytes);
    return { files: files.length, bytes };
  }
  await engines[engine].verifyFiles(job, files, events, signal).catch((error) => {
    if (percent < 100 || !(error instanceof FailureError)) throw error;
    const { reason } = error.failure;
    if (reason === "ARCHIVE_DAMAGED" || reason === "CANCELLED") throw error;
    // A program may fail in any way when it reads what was never written: a wrong size in it makes it run out of memory, for example.
    const message = `${archivePath} is not what was written: ${error.message}`;
    fail({ reason: "ARCHIVE_DAMAGED", engine, path: archivePath, message }, error);
  });
  if (percent < 100) return { files: files.length, bytes };
  const message = `${archivePath} is not what was written, although the files that were looked at are in it`;
  fail({ reason: "ARCHIVE_DAMAGED", path: archivePath, message });
}

/** Reads everything in a snapshot, and compares what has a digest with it. */
async function verifySnapshot(job: VerifyJob, events: EngineEvents, signal: AbortSignal): Promise<PerformedVerify> {
  const files: FoundFile[] = [];
  for await (const entry of readLastEntries(job.manifestPath)) {
    if (entry.kind === "file") files.push({ entry, frame: undefined });
  }
  const bytes = files.reduce((sum, { entry }) => sum + entry.size, 0);
  events.onTotal(bytes, files.length);
  await engines[job.engine].verifyFiles(job, files, events, signal);
  return { files: files.length, bytes };
}

/** Files of frames at random: reading a frame costs the same for one file as for all of them. */
async function chooseFiles({ manifestPath, percent }: VerifyJob, isWhole: boolean, random: () => number) {
  const frames = await readFrames(manifestPath);
  const limit = isWhole ? Number.POSITIVE_INFINITY : maxSample;
  const chosen: FoundFile[] = [];
  let last: FoundFile | undefined;
  let at = 0;
  let isChosen = random() * 100 < percent;
  for await (const entry of readLastEntries(manifestPath)) {
    if (entry.kind !== "file") continue;
    const before = at;
    while ((frames[at + 1]?.offset ?? Number.POSITIVE_INFINITY) <= (entry.offset ?? 0)) at++;
    if (at !== before || frames.length === 0) isChosen = random() * 100 < percent;
    last = { entry, frame: frames[at] };
    if (isChosen && chosen.length < limit) chosen.push(last);
  }
  return chosen.length === 0 && last !== undefined ? [last] : chosen;
}
