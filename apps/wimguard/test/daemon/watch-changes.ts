import { watch } from "node:fs";
import { join } from "node:path";
import type { DaemonFolders } from "./daemon-process.ts";

/** Calls back at each change of a file that a daemon writes, until the returned function is called. The pace of the machine does not matter to tests that count these. */
export function watchChanges({ data, destinations }: DaemonFolders, onChange: () => void): () => void {
  const watchers = [data, join(data, "manifests"), destinations].map((folder) => watch(folder, onChange));
  return () => {
    for (const watcher of watchers) watcher.close();
  };
}

/** Calls back once when so many changes have been seen. */
export function afterChanges(folders: DaemonFolders, count: number, onReached: () => void): () => void {
  let left = count;
  return watchChanges(folders, () => {
    if (left-- === 0) onReached();
  });
}
