import { Buffer } from "node:buffer";
import { createReadStream } from "node:fs";
import type { EngineName } from "../engine/compression.ts";
import { fail } from "../failure/failure.ts";
import { hasErrorCode } from "../failure/to-failure.ts";
import type { DurableFile } from "../files/durable-files.ts";
import { compressFrame } from "../zstd/compress-frame.ts";
import { decompressFrames } from "../zstd/zstd-frames.ts";
import { formatEntry, type ManifestEntry, type ManifestFrame, parseEntry, parseFrame } from "./manifest-entry.ts";

/** The first line of a manifest. */
export interface ManifestHeader {
  readonly uuid: string;
  readonly engine: EngineName;
  readonly source: string;
  /** RFC 3339. */
  readonly createTime: string;
}

/** Writes the list of everything in an archive: JSON lines, compressed with zstd, one entry a line. */
export interface ManifestWriter {
  addEntry(entry: ManifestEntry): Promise<void>;
  addFrame(frame: ManifestFrame): Promise<void>;
  /** Writes the line that shows that nothing is missing. */
  finish(): Promise<void>;
}

const version = 1;
/** Lines are compressed so many bytes at a time. */
const batchBytes = 256 * 1024;
const compressionLevel = 3;
/** A path of 4095 bytes in base64, a target of the same length, and the other fields. */
const maxLineCharacters = 64 * 1024;

export async function createManifestWriter(file: DurableFile, header: ManifestHeader): Promise<ManifestWriter> {
  let lines: string[] = [];
  let characters = 0;
  let entries = 0;
  const flush = async (): Promise<void> => {
    const batch = Buffer.from(lines.join(""));
    lines = [];
    characters = 0;
    if (batch.length > 0) await file.write(await compressFrame(batch, compressionLevel));
  };
  const add = async (line: string): Promise<void> => {
    lines.push(line, "\n");
    characters += line.length;
    if (characters >= batchBytes) await flush();
  };
  await add(JSON.stringify({ manifest: "wimguard", version, ...header }));
  return {
    async addEntry(entry) {
      entries++;
      await add(formatEntry(entry));
    },
    addFrame: (frame) => add(JSON.stringify({ frame })),
    async finish() {
      await add(JSON.stringify({ end: { entries } }));
      await flush();
    },
  };
}

/**
 * Reads the entries of a manifest, in the order of the archive.
 *
 * @throws FailureError ARCHIVE_DAMAGED when the manifest is missing, damaged or cut off
 */
export async function* readManifest(path: string): AsyncGenerator<ManifestEntry> {
  for await (const lines of bodyOf(path)) for (const line of lines) if (!isFrame(line)) yield parseEntry(line);
}

/** Reads entries and frames. A frame may come before or after the entries that are in it. */
export async function* readManifestWithFrames(
  path: string,
): AsyncGenerator<{ readonly entry: ManifestEntry } | { readonly frame: ManifestFrame }> {
  for await (const lines of bodyOf(path)) {
    for (const line of lines) yield isFrame(line) ? { frame: parseFrame(line) } : { entry: parseEntry(line) };
  }
}

function isFrame(line: string): boolean {
  return line.startsWith('{"frame":');
}

/** The lines between header and end, both of which are checked; many at a time, because each step of an async generator costs as much as a line. */
async function* bodyOf(path: string): AsyncGenerator<readonly string[]> {
  let entries = 0;
  let isFirst = true;
  let isWhole = false;
  for await (const lines of linesOf(path)) {
    const body: string[] = [];
    for (const line of lines) {
      if (isFirst) checkHeader(path, line);
      else if (line.startsWith('{"end":')) isWhole = line === JSON.stringify({ end: { entries } });
      else {
        if (!isFrame(line)) entries++;
        body.push(line);
      }
      isFirst = false;
    }
    yield body;
  }
  if (!isWhole) damaged(path, "it is cut off");
}

async function* linesOf(path: string): AsyncGenerator<readonly string[]> {
  let rest = "";
  const decoder = new TextDecoder();
  try {
    for await (const chunk of decompressFrames(createReadStream(path))) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > maxLineCharacters) damaged(path, "a line is too long");
      yield lines;
    }
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) damaged(path, "it does not exist", error);
    throw error;
  }
}

function checkHeader(path: string, line: string): void {
  const found = /^\{"manifest":"wimguard","version":(\d+),/.exec(line)?.[1];
  if (found === undefined) damaged(path, "it has no header");
  if (Number(found) > version) damaged(path, `it has version ${found}, and this release reads ${version}`);
}

function damaged(path: string, problem: string, cause?: unknown): never {
  fail({ reason: "ARCHIVE_DAMAGED", path, message: `the manifest ${path} is damaged: ${problem}` }, cause);
}
