import type { Buffer } from "node:buffer";
import { type BigIntStats, lstatSync, readlinkSync } from "node:fs";
import { hashFile } from "../archive/hash-file.ts";
import type { ReadTask } from "../engine/engine.ts";
import { fail, throwIfCancelled } from "../failure/failure.ts";
import { hasErrorCode } from "../failure/to-failure.ts";
import { isReplaced, readRounds } from "../manifest/last-entries.ts";
import { displayPath, type ManifestEntry } from "../manifest/manifest-entry.ts";
import { placeOf } from "../source/walk-source.ts";
import { type RestoreSelection, selectPaths } from "./restore-selection.ts";

/**
 * Compares a restored tree with its manifest: type, size, mode, time, owner, link targets, and the content of each file.
 *
 * @returns how many files were compared
 * @throws FailureError ARCHIVE_DAMAGED that names the first path that differs
 */
export async function compareTree(
  { folder, paths, keepOwner }: Pick<ReadTask, "folder" | "paths" | "keepOwner">,
  entries: () => AsyncIterable<ManifestEntry>,
  signal: AbortSignal,
): Promise<number> {
  const selection = paths.length === 0 ? undefined : await selectPaths(paths, entries());
  const rounds = await readRounds(entries());
  const withOwner = keepOwner && process.geteuid?.() === 0;
  let compared = 0;
  for await (const entry of entries()) {
    throwIfCancelled(signal);
    if (isReplaced(entry, rounds)) continue;
    const name = nameIn(selection, entry);
    if (name === undefined) continue;
    await compareEntry(placeOf(folder, name), entry, withOwner, signal);
    if (entry.kind === "file") compared++;
  }
  return compared;
}

function nameIn(selection: RestoreSelection | undefined, entry: ManifestEntry): Buffer | undefined {
  // A folder above a selected path is made for it, not restored.
  return selection === undefined ? entry.path : selection.nameOf(entry.path, false);
}

async function compareEntry(
  place: Buffer,
  entry: ManifestEntry,
  withOwner: boolean,
  signal: AbortSignal,
): Promise<void> {
  const found = statsOf(place, entry);
  const isPlain = entry.kind === "file" || entry.kind === "hardlink";
  if (isPlain !== found.isFile() || (entry.kind === "folder") !== found.isDirectory())
    differs(entry, "its type differs");
  if ((entry.kind === "link") !== found.isSymbolicLink()) differs(entry, "its type differs");
  if (entry.kind === "file" && Number(found.size) !== entry.size) differs(entry, "its size differs");
  if (entry.kind === "link") {
    const target = readlinkSync(place, { encoding: "buffer" });
    if (entry.target !== undefined && !target.equals(entry.target)) differs(entry, "its target differs");
  } else if (entry.kind !== "hardlink" && Number(found.mode & 0o777n) !== (entry.mode & 0o777)) {
    differs(entry, "its mode differs");
  }
  if (withOwner && (Number(found.uid) !== entry.uid || Number(found.gid) !== entry.gid))
    differs(entry, "its owner differs");
  if (entry.kind !== "hardlink" && entry.mtime !== undefined && found.mtimeNs !== toNanoseconds(entry.mtime)) {
    differs(entry, "its time differs");
  }
  if (entry.kind !== "file" || entry.digest === undefined) return;
  if ((await digestOf(place, entry.digest, signal)) !== entry.digest) differs(entry, "its content differs");
}

function statsOf(place: Buffer, entry: ManifestEntry): BigIntStats {
  try {
    return lstatSync(place, { bigint: true });
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) differs(entry, "it was not restored");
    throw error;
  }
}

/** Of decimal seconds, which may be negative. */
export function toNanoseconds(seconds: string): bigint {
  const [, sign = "", whole = "0", fraction = ""] = /^(-?)(\d+)(?:\.(\d{1,9}))?$/.exec(seconds) ?? [];
  const value = BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, "0"));
  return sign === "-" ? -value : value;
}

async function digestOf(place: Buffer, expected: string, signal: AbortSignal): Promise<string> {
  const [algorithm = ""] = expected.split(":");
  return `${algorithm}:${await hashFile(place, signal, { algorithm })}`;
}

function differs({ path }: ManifestEntry, problem: string): never {
  const name = displayPath(path);
  fail({
    reason: "ARCHIVE_DAMAGED",
    path: name,
    message: `${JSON.stringify(name)} is not as it was backed up: ${problem}`,
  });
}
