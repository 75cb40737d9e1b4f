import { Buffer, isUtf8 } from "node:buffer";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { RestoreSelection } from "../../restore/restore-selection.ts";
import { placeOf, walkSource } from "../../source/walk-source.ts";
import type { Engine, EngineEvents, ReadTask } from "../engine.ts";
import { giveToRoot } from "../give-to-root.ts";
import { processBytes } from "../process-bytes.ts";
import { selectForProgram } from "../select-for-program.ts";
import { accessOf } from "./list-snapshot.ts";
import { locationOf } from "./repository/repository-location.ts";
import { pastStaleLocks } from "./repository/stale-locks.ts";
import { checkResticEnd } from "./restic-failure.ts";
import { formatIncludes } from "./restic-patterns.ts";
import { runRestic } from "./restic-program.ts";

const pollMs = 200;

/** Restores a snapshot, or paths of it. restic keeps the folders above the source, so its place is inside of the task's folder. */
export const restoreRestic: Engine["restore"] = async (task, entries, events, signal) => {
  const access = accessOf(task);
  const { id, root } = access.snapshot;
  const { selection, files } = await selectForProgram(task, entries);
  const isWhole = task.paths.length === 0 || task.paths.some((path) => path.length === 0);
  const includes = isWhole ? [] : formatIncludes(root, task.paths);
  await pastStaleLocks(
    access,
    () => extract(task, ["restore", id, `--target=${task.folder}`, ...includes], events, signal),
    signal,
  );
  const folder = join(task.folder, root);
  if (!isWhole && !task.paths.every((path) => isUtf8(path))) await removeOthers(folder, selection);
  if (!task.keepOwner) giveToRoot(folder);
  return { files, folder };
};

/** What only root may do, and what the file system does not know: the content is there all the same. */
const attributePattern = /xattr|\bacl\b|chown|mknod|operation not (?:permitted|supported)/i;

async function extract(
  task: ReadTask,
  args: readonly string[],
  events: EngineEvents,
  signal: AbortSignal,
): Promise<void> {
  let lostAttributes = 0;
  let otherProblems = 0;
  let pid: number | undefined;
  const timer = setInterval(() => events.onReached(processBytes(pid, "wchar")), pollMs);
  try {
    const end = await runRestic(
      accessOf(task),
      {
        args,
        onStart(started) {
          pid = started;
        },
        onErrorLine(line) {
          const [, path = "", problem = ""] = /^ignoring error for (.*?): (.*)$/.exec(line) ?? [];
          if (path === "") return;
          if (!attributePattern.test(problem)) {
            otherProblems++;
            return;
          }
          lostAttributes++;
          events.onWarning({ reason: "METADATA_LOST", path: Buffer.from(path), message: problem });
        },
      },
      signal,
    );
    if (lostAttributes > 0 && otherProblems === 0 && end.code === 1) return;
    checkResticEnd(end, { what: `restore from ${locationOf(task.archivePath)}` });
  } finally {
    clearInterval(timer);
  }
}

/** A wildcard that stands for a byte that is not UTF-8 may have taken more than what was selected. */
async function removeOthers(folder: string, selection: RestoreSelection): Promise<void> {
  const others: Buffer[] = [];
  for (const { path, stats } of walkSource(folder, { leaveOut: [], onUnreadable() {} })) {
    if (selection.nameOf(path, stats.isDirectory()) === undefined) others.push(path);
  }
  for (const path of others) await rm(placeOf(folder, path), { recursive: true, force: true });
}
