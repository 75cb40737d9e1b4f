import { Buffer } from "node:buffer";
import { constants } from "node:fs";
import { copyFile, rm, writeFile } from "node:fs/promises";
import { isInside } from "../../path/check-path.ts";
import { surveySource } from "../../source/survey-source.ts";
import type { Compression } from "../compression.ts";
import type { EngineEvents, WriteOutputs, WriteTask, WrittenFile } from "../engine.ts";
import { processBytes } from "../process-bytes.ts";
import { runProgram } from "../run-program.ts";
import { listImage, readImages } from "./list-image.ts";
import { createAddedFiles, verifyAppended } from "./verify-appended.ts";
import { checkWimEnd, unreadableFile } from "./wim-failure.ts";
import type { ImageEntry } from "./wim-image.ts";
import { formatImageOrigin } from "./wim-origin.ts";
import { program, progressLines } from "./wim-program.ts";
import { parseWimProgress } from "./wim-progress.ts";
import { formatExclusions, refuseOtherNames } from "./wim-source.ts";

/** A source with more files that the disk cannot read is not worth the time: each of them costs a whole attempt. */
const maxUnreadableFiles = 20;

/** Captures a source into a new file, or as one image more into a copy of a file. */
export async function writeWim(
  task: WriteTask,
  outputs: WriteOutputs,
  events: EngineEvents,
  signal: AbortSignal,
): Promise<WrittenFile> {
  events.onPhase("scanning");
  const { leaveOut, rules, partPath } = task;
  const survey = { source: task.source, leaveOut: [partPath, ...leaveOut], rules, checkName: refuseOtherNames };
  const source = await surveySource(survey, events, signal);
  events.onTotal(source.bytes, source.files);
  try {
    const unreadable: Buffer[] = [];
    for (let found: Buffer | undefined, flag = "wx"; ; flag = "w") {
      // The list comes into being after the walk, and may be inside the source as well.
      const excluded = [...source.excluded, ...insideOf(task.source, task.scratchPath), ...unreadable];
      await writeFile(task.scratchPath, formatExclusions(excluded), { mode: 0o600, flag });
      if (task.base !== undefined) await copyFile(task.base.archivePath, task.partPath, constants.COPYFILE_FICLONE);
      found = await capture(task, events, unreadable, signal);
      if (found === undefined) break;
      unreadable.push(found);
    }
  } finally {
    await rm(task.scratchPath, { force: true });
  }
  source.reportChanges(task.source, events);
  const { length: image } = await readImages(task.partPath, signal);
  const archive = { archivePath: task.partPath, image };
  const added = task.base && (await createAddedFiles(task.base.archivePath));
  const onListed = (entry: ImageEntry): void => added?.take(entry);
  const written = await listImage(archive, source, { ...outputs, onListed }, signal);
  const files = added?.files;
  if (files === undefined) return written;
  return { ...written, verifyNew: (to, until) => verifyAppended(archive, files, to, until) };
}

/** The path relative to the source, if it is inside. */
function insideOf(source: string, path: string): Buffer[] {
  if (!isInside(path, [source])) return [];
  return [Buffer.from(path.slice(source === "/" ? 1 : source.length + 1))];
}

/**
 * wimlib stops at the first file that the disk cannot read, which no walk can know before: the path of such a file is returned, to begin again
 * without it.
 */
async function capture(
  task: WriteTask,
  events: EngineEvents,
  leftOut: readonly Buffer[],
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  const { base } = task;
  const args = [
    base === undefined ? "capture" : "append",
    task.source,
    task.partPath,
    task.name,
    task.origin.description,
    // Files of which the last image has the same size and time are not read again.
    base === undefined ? `--compress=${toOption(task.compression)}` : `--update-of=${base.image}`,
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
  const unreadable = unreadableFile(end);
  const [path] = unreadable === undefined ? [] : insideOf(task.source, unreadable.place);
  const isNew = path !== undefined && !leftOut.some((one) => one.equals(path));
  if (unreadable === undefined || !isNew || leftOut.length >= maxUnreadableFiles) {
    checkWimEnd(end, `capture ${task.source}`);
    return undefined;
  }
  events.onWarning({ reason: "UNREADABLE", path, message: `cannot be read: ${unreadable.cause}` });
  return path;
}

function toOption({ method, level }: Compression): string {
  return method === "NONE" ? "none" : `${method}:${level}`;
}

/**
 * Refines progress between the steps that wimlib prints, which are whole GiB above 10 GB, by what the kernel says its process has
 * read.
 */
function createReadCounter() {
  let pid: number | undefined;
  let step = 0;
  let readAtStep = 0;
  const read = (): number => processBytes(pid, "rchar");
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
