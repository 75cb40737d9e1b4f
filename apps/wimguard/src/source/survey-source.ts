import { Buffer } from "node:buffer";
import { accessSync, type BigIntStats, constants, lstatSync, readdirSync, readlinkSync, statSync } from "node:fs";
import type { EngineEvents, SourceTask } from "../engine/engine.ts";
import { hasErrorCode } from "../failure/to-failure.ts";
import { fileState } from "./file-state.ts";
import { toWalkOptions } from "./source-rules.ts";
import { walkInTurns } from "./walk-in-turns.ts";
import { joinPath, placeOf, type WalkOptions } from "./walk-source.ts";

/** What a survey remembers of an entry. */
export interface SurveyedEntry {
  readonly size: bigint;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly ctimeNs: bigint;
  readonly mtimeNs: bigint;
  /** Of a link. */
  readonly target: Buffer | undefined;
  /** The same for all names of one file; undefined for a file of one name. */
  readonly linkGroup: string | undefined;
  /** What the next backup compares; undefined for an entry that it has to read again. */
  readonly state: string | undefined;
}

/** A source that a program of its own will read: what that must leave out is found before, and what changes meanwhile afterwards. */
export interface SourceSurvey {
  readonly bytes: number;
  readonly files: number;
  /** Paths relative to the source that the program must leave out. */
  readonly excluded: readonly Buffer[];
  /** In the order of the walk: a folder before what is in it. */
  entries(): Iterable<readonly [path: Buffer, entry: SurveyedEntry]>;
  find(path: Buffer): SurveyedEntry | undefined;
  /** The time of an entry that had not changed until `reportChanges`, which has to be called before. */
  mtimeNsOf(path: Buffer): bigint | undefined;
  /** Compares with the source as it is now, reports the files that have changed or gone since, and returns their paths. */
  reportChanges(source: string, events: EngineEvents): Buffer[];
}

export interface SurveyTask extends Pick<SourceTask, "source" | "leaveOut" | "rules"> {
  /** Throws for a name that the program cannot take. */
  readonly checkName?: (path: Buffer) => void;
}

const typeMask = 0o170000;
const fileType = 0o100000;

export function isFileMode(mode: number): boolean {
  return (mode & typeMask) === fileType;
}

/** Walks a source and remembers it. Sockets and what cannot be read are excluded with a warning. */
export async function surveySource(
  { source, leaveOut, rules, checkName }: SurveyTask,
  events: EngineEvents,
  signal: AbortSignal,
): Promise<SourceSurvey> {
  const surveyed = new Map<string, SurveyedEntry>();
  const excluded: Buffer[] = [];
  const hardLinks = new Set<string>();
  /** Entries whose time was another one at the second look. */
  const hasNewTime = new Set<string>();
  let bytes = 0;
  let files = 0;
  const exclude = (path: Buffer, code: string): void => {
    excluded.push(path);
    events.onWarning({ reason: "UNREADABLE", path, message: `cannot be read: ${code}` });
  };
  // Root reads everything, so only others are asked for their permission.
  const isReadable = process.geteuid?.() === 0 ? () => true : canRead;
  const walkOptions = toWalkOptions(rules);
  const options: WalkOptions = {
    ...walkOptions,
    leaveOut: [],
    isExcluded: (path, isFolder) =>
      leaveOut.includes(placeOf(source, path).toString()) || walkOptions.isExcluded?.(path, isFolder) === true,
    onUnreadable: ({ path, error }) => exclude(path, (error as NodeJS.ErrnoException).code ?? ""),
    onExcluded: (path) => void excluded.push(path),
    onMountPoint: (path) => void excluded.push(...insideOf(source, path)),
  };
  for await (const { path, stats } of walkInTurns(source, options, signal)) {
    checkName?.(path);
    if (stats.isSocket()) {
      excluded.push(path);
      events.onWarning({ reason: "SOCKET_SKIPPED", path, message: "sockets cannot be backed up" });
      continue;
    }
    const isFile = stats.isFile();
    if (isFile && !isReadable(source, path)) {
      exclude(path, "EACCES");
      continue;
    }
    const linkGroup = isFile && stats.nlink > 1n ? `${stats.dev}:${stats.ino}` : undefined;
    surveyed.set(path.toString("latin1"), {
      size: stats.size,
      mode: Number(stats.mode),
      uid: Number(stats.uid),
      gid: Number(stats.gid),
      ctimeNs: stats.ctimeNs,
      mtimeNs: stats.mtimeNs,
      target: stats.isSymbolicLink() ? readTarget(source, path) : undefined,
      linkGroup,
      state: fileState(stats, Date.now()),
    });
    if (!isFile) continue;
    files++;
    if (linkGroup !== undefined && hardLinks.has(linkGroup)) continue;
    if (linkGroup !== undefined) hardLinks.add(linkGroup);
    bytes += Number(stats.size);
  }
  const find = (path: Buffer): SurveyedEntry | undefined => surveyed.get(path.toString("latin1"));
  return {
    bytes,
    files,
    excluded,
    find,
    *entries() {
      for (const [text, entry] of surveyed) yield [Buffer.from(text, "latin1"), entry];
    },
    mtimeNsOf: (path) => (hasNewTime.has(path.toString("latin1")) ? undefined : find(path)?.mtimeNs),
    reportChanges(root, to) {
      const changed: Buffer[] = [];
      for (const [text, before] of surveyed) {
        const path = Buffer.from(text, "latin1");
        const { stats, isGone } = lookAgain(root, path);
        if (stats?.mtimeNs !== before.mtimeNs) hasNewTime.add(text);
        if (!isFileMode(before.mode)) continue;
        if (isGone) {
          to.onWarning({ reason: "FILE_GONE", path, message: "the file was removed while it was read" });
        } else if (stats !== undefined && (stats.size !== before.size || stats.ctimeNs !== before.ctimeNs)) {
          to.onWarning({ reason: "FILE_CHANGED", path, message: "the file changed while it was read" });
        } else continue;
        changed.push(path);
      }
      return changed;
    },
  };
}

/** What a folder has: the program itself would go into what is mounted there. */
function insideOf(source: string, folder: Buffer): Buffer[] {
  try {
    return readdirSync(placeOf(source, folder), { encoding: "buffer" }).map((name) => joinPath(folder, name));
  } catch {
    return [];
  }
}

function lookAgain(source: string, path: Buffer): { readonly stats?: BigIntStats; readonly isGone: boolean } {
  try {
    // The source itself may be a link to what was walked.
    const stats = (path.length === 0 ? statSync : lstatSync)(placeOf(source, path), { bigint: true });
    return { stats, isGone: false };
  } catch (error) {
    return { isGone: hasErrorCode(error, "ENOENT", "ENOTDIR") };
  }
}

function canRead(source: string, path: Buffer): boolean {
  try {
    accessSync(placeOf(source, path), constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

function readTarget(source: string, path: Buffer): Buffer | undefined {
  try {
    return readlinkSync(placeOf(source, path), { encoding: "buffer" });
  } catch {
    return undefined;
  }
}
