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
 * The text of a file of the project; undefined where there is none.
 *
 * @throws CommandFailure for one that cannot be read, or in which a conflict is still to be resolved
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
  throw new CommandFailure(exitCodes.failed, `${path} has a conflict that is not resolved`, {
    hint: "choose between the lines at <<<<<<< and >>>>>>>, then run this again",
  });
}

/** What the files that Tercel manages are made of now. */
export interface ManagedSources {
  /** What Tercel wrote last, as far as it is known. */
  readonly last: ReadonlyMap<string, string>;
  /** What it would write now. */
  readonly now: ReadonlyMap<string, string>;
}

/** Decides what becomes of every file that Tercel manages, in the order of their paths. */
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

/** A file whose hash is that of the record is as Tercel wrote it. */
function ownWriting(mine: string | undefined, hash: string | undefined): string | undefined {
  const text = mine?.replaceAll("\r\n", "\n");
  return text !== undefined && hash !== undefined && sha256Of(text) === hash ? text : undefined;
}

/** The record is a file that anyone may have edited. */
function isInside(path: string): boolean {
  return !isAbsolute(path) && !path.split(/[\\/]/).includes("..");
}
