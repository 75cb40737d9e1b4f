import { mergeManifests } from "../merge/merge-manifests.ts";
import type { MergeLabels, MergeResult } from "../merge/merge-result.ts";
import { mergeTexts, mergeWithoutBase, type TextVersions } from "../merge/merge-texts.ts";

/** The versions of a file that Tercel manages; undefined if it does not exist. */
export interface FileVersions {
  /** The last version that Tercel wrote; also undefined if it is no longer known. */
  readonly base: string | undefined;
  /** The version in the project. */
  readonly mine: string | undefined;
  /** The version that Tercel would write now. */
  readonly theirs: string | undefined;
}

export type FileOutcome =
  /** Nothing to do. */
  | "unchanged"
  /** A new file. */
  | "created"
  /** The user had not changed it, so it is replaced. */
  | "updated"
  /** Both sides changed different lines. */
  | "merged"
  /** Both sides changed the same lines: it has markers. */
  | "conflict"
  /** The user had not changed it, and the template no longer contains it. */
  | "removed"
  /** The template no longer contains it, but the user has changed it: it stays. */
  | "abandoned"
  /** The user has removed it, and it is not written again. */
  | "missing";

export interface FileChange {
  readonly path: string;
  readonly outcome: FileOutcome;
  /** What is in the project. */
  readonly before: string | undefined;
  /** The text to write; undefined to remove the file. */
  readonly after: string | undefined;
}

/** Plans the change of one file. */
export function planFile(path: string, { base, mine, theirs }: FileVersions, labels: MergeLabels): FileChange {
  const change = (outcome: FileOutcome, after: string | undefined): FileChange => ({
    path,
    outcome,
    before: mine,
    after,
  });
  if (mine === undefined) {
    if (theirs === undefined) return change("unchanged", undefined);
    return base === undefined ? change("created", theirs) : change("missing", undefined);
  }
  // A checkout on Windows has other line endings and counts as unchanged.
  const isWindows = mine.includes("\r\n");
  const written = (text: string): string => (isWindows ? text.replaceAll("\n", "\r\n") : text);
  const own = mine.replaceAll("\r\n", "\n");
  if (theirs === undefined) return own === base ? change("removed", undefined) : change("abandoned", mine);
  if (own === theirs || base === theirs) return change("unchanged", mine);
  if (own === base) return change("updated", written(theirs));
  const { text, hasConflict } =
    base === undefined ? mergeWithoutBase(own, theirs, labels) : mergeFile(path, { base, mine: own, theirs }, labels);
  return change(hasConflict ? "conflict" : "merged", written(text));
}

function mergeFile(path: string, versions: TextVersions, labels: MergeLabels): MergeResult {
  const isManifest = /(^|\/)package\.json$/.test(path);
  return (isManifest ? mergeManifests(versions, labels) : undefined) ?? mergeTexts(versions, labels);
}
