import { Buffer } from "node:buffer";
import type { Engine, ReadTask } from "../engine.ts";
import { giveToRoot } from "../give-to-root.ts";
import { runProgram } from "../run-program.ts";
import { selectForProgram } from "../select-for-program.ts";
import { checkWimEnd } from "./wim-failure.ts";
import { program, progressLines } from "./wim-program.ts";
import { parseWimProgress } from "./wim-progress.ts";

export const restoreWim: Engine["restore"] = async (task, entries, events, signal) => {
  const { files } = await selectForProgram(task, entries);
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
  if (!task.keepOwner) giveToRoot(task.folder);
  return { files };
};

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
