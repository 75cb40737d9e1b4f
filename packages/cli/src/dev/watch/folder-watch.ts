import { type Dirent, type FSWatcher, readdirSync, statSync, watch } from "node:fs";
import { basename, join, sep } from "node:path";

/** Quiet time after which changes are reported together: editors write a file in several steps. */
const settleMs = 40;

/** Folders that contain no part of a running service. */
const ignoredFolders = new Set(["node_modules", "data", "dist", "test", "tests", "coverage", "docs", "deploy"]);
const watchedFiles = /\.(?:[cm]?[jt]s|json|ya?ml|sql|pem|crt|key)$|^\.env/;
/** Files of tools; .proto files take effect when their code is generated. */
const otherFiles = new Set([
  "package-lock.json",
  "tsconfig.json",
  "biome.json",
  "buf.yaml",
  "buf.gen.yaml",
  "tercel.yaml",
]);

/** Whether a change of a file requires a restart. */
export function isPartOfService(file: string): boolean {
  return watchedFiles.test(basename(file)) && !otherFiles.has(basename(file));
}

/**
 * Calls back with the files that have changed below some folders, shortly after the last change. Folders that are created later are watched
 * too. Returns a function that stops watching.
 *
 * @param isFollowed whether to look into a subfolder of that name. Default: not where no part of a running service is
 */
export function watchFolders(
  folders: readonly string[],
  isWatched: (file: string) => boolean,
  onChange: (files: readonly string[]) => void,
  isFollowed: (name: string) => boolean = hasParts,
): () => void {
  const watchers = new Map<string, FSWatcher>();
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;

  function note(file: string): void {
    changed.add(file);
    clearTimeout(timer);
    timer = setTimeout(() => {
      const files = [...changed].sort();
      changed.clear();
      onChange(files);
    }, settleMs);
  }

  /** @param isNew whether the files in the folder are new with it */
  function follow(folder: string, isNew: boolean): void {
    if (watchers.has(folder)) return;
    let watcher: FSWatcher;
    try {
      watcher = watch(folder, (event, name) => {
        if (name === null) return;
        const path = join(folder, name);
        if (event === "rename" && isFollowed(name)) followAgain(path);
        if (isWatched(path) && !isFolder(path)) note(path);
      });
    } catch {
      // The folder no longer exists.
      return;
    }
    watchers.set(folder, watcher);
    watcher.on("error", () => forget(folder));
    for (const entry of entriesOf(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (isFollowed(entry.name)) follow(path, isNew);
      } else if (isNew && isWatched(path)) {
        note(path);
      }
    }
  }

  /** Handles the creation, removal or replacement of what may be a folder. */
  function followAgain(path: string): void {
    forget(path);
    if (isFolder(path)) follow(path, true);
  }

  function forget(folder: string): void {
    for (const [path, watcher] of watchers) {
      if (path !== folder && !path.startsWith(folder + sep)) continue;
      watcher.close();
      watchers.delete(path);
    }
  }

  for (const folder of folders) follow(folder, false);
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers.values()) watcher.close();
    watchers.clear();
  };
}

function hasParts(name: string): boolean {
  return !ignoredFolders.has(name) && !name.startsWith(".");
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
