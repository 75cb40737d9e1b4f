import { existsSync, realpathSync, watch } from "node:fs";
import { dirname } from "node:path";
import type { Log } from "../logging/log.ts";
import type { Clock } from "../time/clock.ts";

export interface FollowFilesOptions {
  /** The files to follow; called again after each read, because a read may find others. They need not exist. */
  readonly files: () => Iterable<string>;
  /** Called some time after a sign of a change, and regularly: looks at the files. */
  readonly onLook: () => void;
  /** From the first sign of a change to the look. */
  readonly settleMs: number;
  /** From one regular look to the next; 0 means never. */
  readonly pollMs: number;
  /** What the files are, for the log: `TLS files`. */
  readonly noun: string;
  readonly log: Log;
  readonly clock: Clock;
  /** For tests: reports changes in a folder until the returned function is called. */
  readonly watchFolder?: (folder: string, onChange: () => void) => () => void;
}

export interface FollowedFiles {
  /** Asks for the files again, after they became others without a look. */
  refresh(): void;
  close(): void;
}

/** Follows files that are replaced by renaming, by writing in place, or by swapping a symlink as Kubernetes does. */
export function followFiles(options: FollowFilesOptions): FollowedFiles {
  const { files, onLook, settleMs, pollMs, clock } = options;
  const watchFolder =
    options.watchFolder ?? ((folder, onChange) => watchWithSystem(folder, onChange, options.noun, options.log));
  const stopByFolder = new Map<string, () => void>();
  let cancelSettling: (() => void) | undefined;
  let cancelPoll: (() => void) | undefined;
  let isClosed = false;

  function look(): void {
    onLook();
    watchFolders();
  }

  /** Not put off by further signs: a folder where something changes all the time must not starve it. What follows the look has one of its own. */
  function onSign(): void {
    if (isClosed || cancelSettling !== undefined) return;
    cancelSettling = clock.after(settleMs, () => {
      cancelSettling = undefined;
      look();
    });
  }

  function poll(): void {
    cancelPoll = clock.after(pollMs, () => {
      look();
      poll();
    });
  }

  /** The folders and not the files: a rename puts another file, and another symlink, in the place of the one that is watched. */
  function watchFolders(): void {
    if (isClosed) return;
    const wanted = new Set<string>();
    for (const file of files()) for (const folder of foldersOf(file)) wanted.add(folder);
    for (const [folder, stop] of stopByFolder) {
      if (wanted.has(folder)) continue;
      stopByFolder.delete(folder);
      stop();
    }
    for (const folder of wanted) {
      if (!stopByFolder.has(folder)) stopByFolder.set(folder, watchFolder(folder, onSign));
    }
  }

  watchFolders();
  if (pollMs > 0) poll();

  return {
    refresh: watchFolders,
    close() {
      isClosed = true;
      for (const stop of stopByFolder.values()) stop();
      stopByFolder.clear();
      cancelSettling?.();
      cancelPoll?.();
    },
  };
}

/** Where a change of a file shows: the folder of its name, that of what its symlinks lead to, and the nearest folder that exists. */
function foldersOf(file: string): string[] {
  let folder = dirname(file);
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  try {
    return [folder, dirname(realpathSync(file))];
  } catch {
    return [folder];
  }
}

function watchWithSystem(folder: string, onChange: () => void, noun: string, log: Log): () => void {
  // The system has a limit of watches, and a folder may go away: the files are looked at regularly all the same.
  const onProblem = (error: unknown): void => log.warn(`a folder of ${noun} cannot be watched`, { folder, error });
  try {
    const watcher = watch(folder, { persistent: false }, onChange);
    watcher.on("error", onProblem);
    return () => watcher.close();
  } catch (error) {
    onProblem(error);
    return () => {};
  }
}
