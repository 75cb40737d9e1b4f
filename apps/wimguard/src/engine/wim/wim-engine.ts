import { Buffer } from "node:buffer";
import { execFile } from "node:child_process";
import { lchownSync, readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { fail } from "../../failure/failure.ts";
import { createDigestCheck } from "../../manifest/digest-check.ts";
import { isInside } from "../../path/check-path.ts";
import { selectPaths } from "../../restore/restore-selection.ts";
import { placeOf, walkSource } from "../../source/walk-source.ts";
import type { Compression } from "../compression.ts";
import type { Engine, EngineEvents, ReadTask, WriteOutputs, WriteTask, WrittenArchive } from "../engine.ts";
import { runProgram } from "../run-program.ts";
import { checkWimEnd } from "./wim-failure.ts";
import { createImageManifest, readImageListing } from "./wim-image.ts";
import { formatImageOrigin, parseImageInfo } from "./wim-origin.ts";
import { parseWimProgress } from "./wim-progress.ts";
import { formatExclusions, type WimSource, walkWimSource } from "./wim-source.ts";

const execute = promisify(execFile);
const program = "wimlib-imagex";
const minVersion = 1.13;

/** Paths on a command line; the kernel takes two megabytes. */
const maxRestorePaths = 1000;

/** Creates the engine for Windows images, by wimlib of 1.13 or later. */
export function createWimEngine(): Engine {
  return { name: "wim", probe, write, readOrigin, index, verify, restore, readFile, verifyFiles };
}

async function probe(): Promise<{ version: string }> {
  const version = await execute(program, ["--version"]).then(
    ({ stdout }) => /^wimlib-imagex (\d+\.\d+\S*)/.exec(stdout)?.[1],
    () => undefined,
  );
  if (version !== undefined && isNewEnough(version)) return { version };
  const found = version === undefined ? `${program} is not installed` : `${program} ${version} is too old`;
  fail({
    reason: "ENGINE_MISSING",
    engine: "wim",
    message: `${found}: install wimlib ${minVersion} or later (Debian and Ubuntu: apt install wimtools), or back up to a .tar.zst file, which works now`,
  });
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 1 || (major === 1 && minor >= 13);
}

async function write(
  task: WriteTask,
  outputs: WriteOutputs,
  events: EngineEvents,
  signal: AbortSignal,
): Promise<WrittenArchive> {
  events.onPhase("scanning");
  const source = await walkWimSource(task, events, signal);
  events.onTotal(source.bytes, source.files);
  try {
    // It comes into being after the walk, and may be inside the source as well.
    const excluded = [...source.excluded, ...insideOf(task.source, task.scratchPath)];
    await writeFile(task.scratchPath, formatExclusions(excluded), { mode: 0o600, flag: "wx" });
    await capture(task, events, signal);
  } finally {
    await rm(task.scratchPath, { force: true });
  }
  source.reportChanges(task.source, events);
  return listImage(task.partPath, source, outputs, signal);
}

/** The path relative to the source, if it is inside. */
function insideOf(source: string, path: string): Buffer[] {
  if (!isInside(path, [source])) return [];
  return [Buffer.from(path.slice(source === "/" ? 1 : source.length + 1))];
}

async function capture(task: WriteTask, events: EngineEvents, signal: AbortSignal): Promise<void> {
  const args = [
    "capture",
    task.source,
    task.partPath,
    task.name,
    task.origin.description,
    `--compress=${toOption(task.compression)}`,
    "--unix-data",
    "--norpfix",
    "--check",
    `--config=${task.scratchPath}`,
    ...formatImageOrigin(task.origin),
  ];
  const counter = createReadCounter();
  events.onPhase("reading");
  const end = await runProgram(
    {
      engine: "wim",
      program,
      args,
      onStart: counter.start,
      async read(stdout) {
        for await (const line of progressLines(stdout)) {
          const progress = parseWimProgress(line);
          if (progress?.phase === "reading") events.onReached(counter.refine(progress.bytesDone, progress.stepBytes));
        }
      },
    },
    signal,
  );
  checkWimEnd(end, `capture ${task.source}`);
}

function toOption({ method, level }: Compression): string {
  return method === "NONE" ? "none" : `${method}:${level}`;
}

async function* progressLines(stdout: Readable): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of stdout as AsyncIterable<Buffer>) {
    const lines = (rest + chunk.toString()).split(/[\r\n]/);
    rest = lines.pop() ?? "";
    yield* lines;
  }
  yield rest;
}

/**
 * Refines progress between the steps that wimlib prints, which are whole GiB above 10 GB, by what the kernel says its process has
 * read.
 */
function createReadCounter() {
  let pid: number | undefined;
  let step = 0;
  let readAtStep = 0;
  const read = (): number => {
    try {
      return Number(/^rchar: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, "latin1"))?.[1] ?? 0);
    } catch {
      return 0;
    }
  };
  return {
    start(started: number): void {
      pid = started;
    },
    refine(bytesDone: number, stepBytes: number): number {
      if (stepBytes < 2 ** 30) return bytesDone;
      if (bytesDone !== step) {
        step = bytesDone;
        readAtStep = read();
      }
      return bytesDone + Math.min(Math.max(read() - readAtStep, 0), stepBytes - 1);
    },
  };
}

/** The manifest is made of what the image has, not of what the source had: digests and sizes are the archive's own. */
async function listImage(
  archivePath: string,
  source: Pick<WimSource, "mtimeNsOf" | "targetOf">,
  outputs: Pick<WriteOutputs, "addEntry">,
  signal: AbortSignal,
): Promise<WrittenArchive> {
  let sourceBytes = 0;
  let files = 0;
  const toManifest = createImageManifest();
  const end = await runProgram(
    {
      engine: "wim",
      program,
      args: ["dir", archivePath, "1", "--detailed"],
      async read(stdout) {
        for await (const entry of readImageListing(stdout)) {
          const mtimeNs = source.mtimeNsOf(entry.path);
          const target = source.targetOf(entry.path);
          const listed = toManifest(entry, {
            ...(mtimeNs !== undefined && { mtime: formatSeconds(mtimeNs) }),
            ...(target !== undefined && { target }),
          });
          if (listed.kind === "file" || listed.kind === "hardlink") files++;
          sourceBytes += listed.size;
          await outputs.addEntry(listed);
        }
      },
    },
    signal,
  );
  checkWimEnd(end, `list the image of ${archivePath}`);
  return { sourceBytes, files };
}

/** A listing has times in whole seconds and no targets of links: what it does not say is not compared later. */
const unknownSource = { mtimeNsOf: () => undefined, targetOf: () => undefined };

const index: Engine["index"] = async (archivePath, outputs, events, signal) => {
  await verify(archivePath, events, signal);
  const { images } = await readImageInfo(archivePath, signal);
  if (images !== 1) {
    const message = `${archivePath} has ${images} images: only files with one image can be imported`;
    fail({ reason: "NOT_SUPPORTED", engine: "wim", path: archivePath, message });
  }
  return listImage(archivePath, unknownSource, outputs, signal);
};

const readOrigin: Engine["readOrigin"] = async (archivePath, signal) =>
  (await readImageInfo(archivePath, signal)).origin;

async function readImageInfo(archivePath: string, signal: AbortSignal) {
  const parts: Buffer[] = [];
  const end = await runProgram(
    {
      engine: "wim",
      program,
      args: ["info", archivePath, "--xml"],
      async read(stdout) {
        for await (const bytes of stdout as AsyncIterable<Buffer>) parts.push(bytes);
      },
    },
    signal,
  );
  checkWimEnd(end, `read ${archivePath}`);
  return parseImageInfo(Buffer.concat(parts).toString("utf16le"));
}

/** Formats a time as decimal seconds. wimlib rounds down to 100 ns, before 1970 too. */
function formatSeconds(timeNs: bigint): string {
  const ticks = timeNs / 100n - (timeNs % 100n < 0n ? 1n : 0n);
  const [sign, size] = ticks < 0n ? ["-", -ticks] : ["", ticks];
  const fraction = size % 10_000_000n;
  const whole = `${sign}${size / 10_000_000n}`;
  return fraction === 0n ? whole : `${whole}.${String(fraction).padStart(7, "0")}`;
}

async function verify(archivePath: string, events: EngineEvents, signal: AbortSignal): Promise<void> {
  events.onPhase("verifying");
  const end = await runProgram({ engine: "wim", program, args: ["verify", archivePath], read: drain }, signal);
  if (end.code === 0) return;
  const lines = end.lastLines.map((line) => line.trim()).join(" ");
  fail({
    reason: "ARCHIVE_DAMAGED",
    engine: "wim",
    path: archivePath,
    message: `${archivePath} cannot be verified: ${lines}`,
  });
}

async function drain(stdout: Readable): Promise<void> {
  for await (const _ of stdout);
}

const restore: Engine["restore"] = async (task, entries, events, signal) => {
  if (task.paths.length > maxRestorePaths) {
    fail({
      reason: "FIELD_INVALID",
      field: "paths",
      message: `paths has more than ${maxRestorePaths} entries; name folders instead`,
    });
  }
  // Names what is missing before anything is written.
  const selection = await selectPaths(
    task.paths.length === 0 ? [Buffer.alloc(0)] : task.paths,
    entries?.() ?? noEntries(),
  );
  let files = 0;
  if (entries !== undefined) {
    for await (const { path, kind } of entries()) {
      if ((kind === "file" || kind === "hardlink") && selection.nameOf(path, false) === path) files++;
    }
  }
  const end = await runProgram(
    {
      engine: "wim",
      program,
      args: [...restoreArguments(task), "--unix-data"],
      onErrorLine(line) {
        const warning = /^\[WARNING\] (.+)$/.exec(line)?.[1];
        if (warning !== undefined)
          events.onWarning({ reason: "METADATA_LOST", path: Buffer.alloc(0), message: warning });
      },
      async read(stdout) {
        for await (const line of progressLines(stdout)) {
          const progress = parseWimProgress(line);
          if (progress?.phase === "reading") events.onReached(progress.bytesDone);
        }
      },
    },
    signal,
  );
  checkWimEnd(end, `restore ${task.archivePath}`);
  if (!task.keepOwner && process.geteuid?.() === 0) giveToRoot(task.folder);
  return { files };
};

const readFile: Engine["readFile"] = async (archivePath, { entry }, take, signal) => {
  const name = `/${entry.path.toString()}`;
  const end = await runProgram(
    {
      engine: "wim",
      program,
      args: ["extract", archivePath, "1", name, "--to-stdout", "--no-globs"],
      async read(stdout) {
        for await (const bytes of stdout as AsyncIterable<Buffer>) await take(bytes);
      },
    },
    signal,
  );
  checkWimEnd(end, `read ${name} of ${archivePath}`);
};

const verifyFiles: Engine["verifyFiles"] = async (archivePath, files, events, signal) => {
  for (const file of files) {
    const check = createDigestCheck(file.entry);
    await readFile(
      archivePath,
      file,
      async (bytes) => {
        check.update(bytes);
        events.onBytes(bytes.length);
      },
      signal,
    );
    check.end();
  }
};

async function* noEntries(): AsyncGenerator<never> {}

function restoreArguments({ archivePath, folder, paths }: ReadTask): string[] {
  if (paths.length === 0) return ["apply", archivePath, "1", folder];
  const names = paths.map((path) => `/${path.toString()}`);
  return ["extract", archivePath, "1", ...names, `--dest-dir=${folder}`, "--preserve-dir-structure", "--no-globs"];
}

/** wimlib has no option to leave owners out. */
function giveToRoot(folder: string): void {
  for (const { path } of walkSource(folder, { leaveOut: [], onUnreadable() {} })) {
    lchownSync(placeOf(folder, path), process.geteuid?.() ?? 0, process.getegid?.() ?? 0);
  }
}
