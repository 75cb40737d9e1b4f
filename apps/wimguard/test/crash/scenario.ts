import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { FailureError } from "../../src/failure/failure.ts";
import { toFailure } from "../../src/failure/to-failure.ts";
import { appendName, type CrashSite, type RunningParts } from "./crash-site.ts";
import { RecordingFiles, type RecordingOptions } from "./recording-files.ts";

/** The content of the file that comes into being while a backup to the same name runs. */
const foreignContent = "somebody else's";

/**
 * Backups, deletes, a backup that fails, one that is cancelled, one whose destination comes into being meanwhile: all that has to survive a
 * crash. With a fault, each step may fail, and the next one follows.
 */
export async function runScenario(site: CrashSite, options: RecordingOptions = {}): Promise<RecordingFiles> {
  site.clear();
  const foreignPath = join(site.destinations, "foreign.tar.zst");
  let hasForeign = false;
  const addForeign = (to: string): void => {
    if (to !== foreignPath || hasForeign) return;
    hasForeign = true;
    files.addForeign(foreignPath, foreignContent);
  };
  const files: RecordingFiles = new RecordingFiles({ ...options, beforeLink: addForeign });
  let parts: RunningParts;
  try {
    parts = await site.start(files);
  } catch {
    return files;
  }
  const backUp = (name: string, isCancelled = false) => attempt(() => backUpTo(site, parts, files, name, isCancelled));
  try {
    const first = await backUp("a.tar.zst");
    const second = await backUp("b.tar");
    await attempt(() => deleteBackup(parts, files, first));
    await backUp("a.tar.zst");
    await backUp("cancelled.tar.zst", true);
    await backUp("foreign.tar.zst");
    await backUp("missing.tar.zst");
    await attempt(() => deleteBackup(parts, files, second));
  } finally {
    await parts.close();
  }
  return files;
}

/** Backs up into one file again and again, and deletes from it. */
export async function runImageScenario(site: CrashSite, options: RecordingOptions = {}): Promise<RecordingFiles> {
  site.clear();
  const files = new RecordingFiles(options);
  let parts: RunningParts;
  try {
    parts = await site.start(files);
  } catch {
    return files;
  }
  const append = () =>
    attempt(async () => {
      const request = { source: site.source, destination: appendName, compression: "XPRESS", description: "" };
      const { uuid, job } = await parts.backups.start(request);
      await job.done;
      files.tell({ kind: "completed", uuid });
      return uuid;
    });
  try {
    const first = await append();
    await append();
    await attempt(() => deleteBackup(parts, files, first));
  } finally {
    await parts.close();
  }
  return files;
}

async function backUpTo(
  site: CrashSite,
  { backups }: RunningParts,
  files: RecordingFiles,
  name: string,
  isCancelled: boolean,
) {
  const source = name === "missing.tar.zst" ? join(site.source, "missing") : site.source;
  const request = { source, destination: join(site.destinations, name), compression: "", description: "" };
  const { uuid, job } = await backups.start(request);
  if (isCancelled) {
    await setImmediate();
    job.cancel();
  }
  await job.done;
  files.tell({ kind: "completed", uuid });
  return uuid;
}

async function deleteBackup({ backups }: RunningParts, files: RecordingFiles, uuid: string | undefined): Promise<void> {
  if (uuid === undefined) return;
  files.tell({ kind: "delete-requested", uuid });
  await backups.delete(uuid);
  files.tell({ kind: "deleted", uuid });
}

/** Failures are part of the scenario; anything else is a fault of the program. */
async function attempt<Result>(step: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof FailureError || toFailure(error).message.includes(": act '")) return undefined;
    throw error;
  }
}
