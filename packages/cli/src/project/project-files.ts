import { readFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";
import { fileErrorReason } from "../frame/file-error.ts";
import { hasConflictBlock } from "../merge/conflict-block.ts";
import { type FileChange, planFile } from "./managed-file.ts";
import type { ProjectRecord } from "./project-record.ts";
import { sha256Of } from "./sha256.ts";

/**
 * Returns the text of a file of the project; undefined if it does not exist.
 *
 * @throws CommandFailure for a file that cannot be read or contains an unresolved conflict
 */
export function readProjectFile(folder: string, path: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(join(folder, path), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new CommandFailure(exitCodes.failed, `cannot read ${path}: ${fileErrorReason(error)}`, { cause: error });
  }
  if (!hasConflictBlock(text)) return text;
  throw new CommandFailure(exitCodes.failed, `unresolved conflict in ${path}`, {
    hint: "choose between the lines at <<<<<<< and >>>>>>>, then run this command again",
  });
}

/** The old and new texts of the files that Tercel manages. */
export interface ManagedSources {
  /** The last version that Tercel wrote, where known. */
  readonly last: ReadonlyMap<string, string>;
  /** The version that it would write now. */
  readonly now: ReadonlyMap<string, string>;
}

/** Plans the change of every file that Tercel manages, ordered by path. */
export function planManaged(
  folder: string,
  { managed, plan }: Pick<ProjectRecord, "managed" | "plan">,
  { last, now }: ManagedSources,
  newVersion: string = plan.version,
): FileChange[] {
  const paths = new Set([...now.keys(), ...[...managed.keys()].filter(isInside)]);
  return [...paths].sort().map((path) => {
    const mine = readProjectFile(folder, path);
    const base = last.get(path) ?? ownWriting(mine, managed.get(path));
    return planFile(path, { base, mine, theirs: now.get(path) }, { mine: "yours", theirs: `tercel ${newVersion}` });
  });
}

/** Returns a file's text if its hash matches the record: then it is as Tercel wrote it. */
function ownWriting(mine: string | undefined, hash: string | undefined): string | undefined {
  const text = mine?.replaceAll("\r\n", "\n");
  return text !== undefined && hash !== undefined && sha256Of(text) === hash ? text : undefined;
}

/** Whether a path stays inside the project: the record may have been edited. */
function isInside(path: string): boolean {
  return !isAbsolute(path) && !path.split(/[\\/]/).includes("..");
}
