import { statSync } from "node:fs";
import { dirname, relative } from "node:path";
import type { CommandContext } from "../../frame/context.ts";
import { filesIn, newest } from "../watch/file-times.ts";
import { watchFolders } from "../watch/folder-watch.ts";
import { type Build, inputsOf, isInput, isOfBuild } from "./build.ts";
import { runBuild } from "./run-build.ts";

export interface FollowedBuilds {
  /** Whether no service uses a file: a build writes it, or is the only one to read it. */
  isForeign(file: string): boolean;
  stop(): void;
}

/**
 * Runs the builds whose output is absent or older than what they read, and each again after a change until it is stopped, one at a time. Resolves when
 * the first runs are done; failures are reported and do not stop the watch.
 *
 * @param onRebuilt called when a build has succeeded after the first runs
 */
export async function followBuilds(
  builds: readonly Build[],
  isWatched: boolean,
  context: CommandContext,
  onRebuilt: (build: Build) => void,
): Promise<FollowedBuilds> {
  /** Builds to run, with the files that have changed. */
  const due = new Map<Build, readonly string[]>();
  let isRunning = true;
  let hasBegun = false;

  async function runDue(): Promise<void> {
    isRunning = true;
    for (const [build, files] of due) {
      due.delete(build);
      if (context.signal.aborted) break;
      if ((await runBuild(build, afterChange(build, files), context)) && hasBegun) onRebuilt(build);
    }
    isRunning = false;
  }

  const stops = (isWatched ? builds : []).map((build) =>
    watchFolders(
      foldersOf(build),
      (file) => isInput(build, file),
      (files) => {
        due.set(build, [...(due.get(build) ?? []), ...files]);
        if (!isRunning) void runDue();
      },
      isFollowed,
    ),
  );
  // In order, since one may read what another writes.
  for (const build of builds) if (isStale(build)) await runBuild(build, "", context);
  await runDue();
  hasBegun = true;
  return {
    isForeign: (file) => builds.some((build) => isOfBuild(build, file)),
    stop() {
      for (const stop of stops) stop();
    },
  };
}

/** Returns the folders to watch: for a file, the one that contains it. */
function foldersOf(build: Build): readonly string[] {
  const folders = inputsOf(build).map((path) => (isFolder(path) ? path : dirname(path)));
  return [...new Set(folders)];
}

/** What a build reads may have any name, unlike the parts of a service. */
function isFollowed(folder: string): boolean {
  return folder !== "node_modules" && !folder.startsWith(".");
}

/** Whether the output is absent, or older than what the build reads. */
function isStale(build: Build): boolean {
  // Folders that are read count too: they are newer where a file was removed.
  const inputs = inputsOf(build)
    .flatMap(everythingAt)
    .filter((path) => isInput(build, path));
  const written = newest(everythingAt(build.output).filter((path) => !isFolder(path)));
  return written === 0 || newest(inputs) > written;
}

function everythingAt(path: string): readonly string[] {
  return isFolder(path) ? [path, ...filesIn(path, "**/*")] : [path];
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function afterChange({ folder }: Build, files: readonly string[]): string {
  const [first, ...others] = [...new Set(files)].map((file) => relative(folder, file));
  if (first === undefined) return "";
  return `, after the change of ${others.length === 0 ? first : `${first} and ${others.length} more`}`;
}
