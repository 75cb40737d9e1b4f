import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";

const maxNamedEntries = 3;

/**
 * Rejects a folder that is not empty, so that nothing is overwritten.
 *
 * @throws CommandFailure that lists the first entries
 */
export function requireEmpty(folder: string, shown: string): void {
  if (!existsSync(folder)) return;
  const hint = "choose another folder with --dir";
  if (!statSync(folder).isDirectory()) {
    throw new CommandFailure(exitCodes.failed, `${shown} is a file, not a folder`, { hint });
  }
  const entries = readdirSync(folder).sort();
  if (entries.length === 0) return;
  const others = entries.length - maxNamedEntries;
  const named = entries.slice(0, maxNamedEntries).join(", ") + (others > 0 ? ` and ${others} more` : "");
  throw new CommandFailure(exitCodes.failed, `folder ${shown} is not empty: it contains ${named}`, { hint });
}

/** Writes all files or none: first into a temporary folder, which is then renamed. */
export function writeProject(folder: string, files: ReadonlyMap<string, string>): void {
  // The caller's shell may be in an existing folder, so its contents are written instead of replacing it.
  const isThere = existsSync(folder);
  const parent = isThere ? folder : dirname(folder);
  mkdirSync(parent, { recursive: true });
  const temporary = join(parent, `.tercel-new-${randomUUID()}`);
  try {
    for (const [path, text] of files) {
      mkdirSync(dirname(join(temporary, path)), { recursive: true });
      writeFileSync(join(temporary, path), text);
    }
    if (isThere) for (const entry of readdirSync(temporary)) renameSync(join(temporary, entry), join(folder, entry));
    else renameSync(temporary, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
