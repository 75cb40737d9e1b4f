import { mergeManifests } from "../merge/merge-manifests.ts";
import type { MergeLabels, MergeResult } from "../merge/merge-result.ts";
import { mergeTexts, mergeWithoutBase, type TextVersions } from "../merge/merge-texts.ts";

/** The versions of a file that Tercel manages; undefined where it is not there. */
export interface FileVersions {
  /** What Tercel wrote last. Also undefined where that is not known any more. */
  readonly base: string | undefined;
  /** What is in the project. */
  readonly mine: string | undefined;
  /** What Tercel would write now. */
  readonly theirs: string | undefined;
}

export type FileOutcome =
  /** Nothing to do. */
  | "unchanged"
  /** A new file. */
  | "created"
  /** No one had changed it, so it is replaced. */
  | "updated"
  /** Both had changed it, at different places. */
  | "merged"
  /** Both had changed the same place: it has markers. */
  | "conflict"
  /** No one had changed it, and Tercel has no use for it any more. */
  | "removed"
  /** Tercel has no use for it any more, but someone has changed it: it stays. */
  | "abandoned"
  /** Someone has removed it, and it stays so. */
  | "missing";

export interface FileChange {
  readonly path: string;
  readonly outcome: FileOutcome;
  /** What is in the project. */
  readonly before: string | undefined;
  /** What has to be there; undefined for no file. */
  readonly after: string | undefined;
}

/** Decides what becomes of one file. Pure. */
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
  // A checkout on Windows is the same file.
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
