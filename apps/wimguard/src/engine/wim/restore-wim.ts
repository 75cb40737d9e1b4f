import { Buffer } from "node:buffer";
import { lchownSync } from "node:fs";
import { fail } from "../../failure/failure.ts";
import { selectPaths } from "../../restore/restore-selection.ts";
import { placeOf, walkSource } from "../../source/walk-source.ts";
import type { Engine, ReadTask } from "../engine.ts";
import { runProgram } from "../run-program.ts";
import { checkWimEnd } from "./wim-failure.ts";
import { program, progressLines } from "./wim-program.ts";
import { parseWimProgress } from "./wim-progress.ts";

/** Paths on a command line; the kernel takes two megabytes. */
const maxRestorePaths = 1000;

export const restoreWim: Engine["restore"] = async (task, entries, events, signal) => {
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

async function* noEntries(): AsyncGenerator<never> {}

function restoreArguments({ archivePath, image, folder, paths }: ReadTask): string[] {
  if (paths.length === 0) return ["apply", archivePath, String(image), folder];
  const names = paths.map((path) => `/${path.toString()}`);
  return [
    "extract",
    archivePath,
    String(image),
    ...names,
    `--dest-dir=${folder}`,
    "--preserve-dir-structure",
    "--no-globs",
  ];
}

/** wimlib has no option to leave owners out. */
function giveToRoot(folder: string): void {
  for (const { path } of walkSource(folder, { leaveOut: [], onUnreadable() {} })) {
    lchownSync(placeOf(folder, path), process.geteuid?.() ?? 0, process.getegid?.() ?? 0);
  }
}
