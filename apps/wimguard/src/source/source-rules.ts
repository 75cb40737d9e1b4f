import { createExcludes } from "./exclude.ts";
import type { WalkOptions } from "./walk-source.ts";

/** What a backup leaves out of its source. */
export interface SourceRules {
  /** Patterns as in .gitignore. */
  readonly excludes: readonly string[];
  /** Keep folders on which other file systems are mounted, without what is inside. */
  readonly oneFileSystem: boolean;
}

export const noRules: SourceRules = { excludes: [], oneFileSystem: false };

/** Rules as the catalogue has them: the same text means the same rules, empty none. */
export function formatRules({ excludes, oneFileSystem }: SourceRules): string {
  return excludes.length === 0 && !oneFileSystem ? "" : JSON.stringify({ excludes, oneFileSystem });
}

/** What a walk needs to know of them. */
export function toWalkOptions({
  excludes,
  oneFileSystem,
}: SourceRules): Pick<WalkOptions, "isExcluded" | "oneFileSystem"> {
  if (excludes.length === 0) return { oneFileSystem };
  const compiled = createExcludes(excludes);
  return { oneFileSystem, isExcluded: (path, isFolder) => compiled.isExcluded(path.toString("utf8"), isFolder) };
}
