import { Buffer } from "node:buffer";
import { accessSync, constants, lstatSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { fail } from "../../failure/failure.ts";
import { hasErrorCode } from "../../failure/to-failure.ts";
import { displayPath } from "../../manifest/manifest-entry.ts";
import { toWalkOptions } from "../../source/source-rules.ts";
import { walkInTurns } from "../../source/walk-in-turns.ts";
import { joinPath, placeOf, type WalkOptions } from "../../source/walk-source.ts";
import type { EngineEvents, WriteTask } from "../engine.ts";

/** What the walk before a capture remembers of an entry. */
interface WalkedEntry {
  readonly size: bigint;
  readonly ctimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly isFile: boolean;
  readonly target: Buffer | undefined;
}

/** A source that wimlib will capture: wimlib stops at the first entry that it cannot read, so these are found before. */
export interface WimSource {
  readonly bytes: number;
  readonly files: number;
  /** Relative to the source. */
  readonly excluded: readonly Buffer[];
  /** The target of a link, as it was walked. */
  targetOf(path: Buffer): Buffer | undefined;
  /** The time of an entry that has not changed since it was walked: wimlib lists times in whole seconds only. */
  mtimeNsOf(path: Buffer): bigint | undefined;
  /** Compares with the source as it is now, and reports what has changed or gone since the walk: wimlib fills it up with zeros. */
  reportChanges(source: string, events: EngineEvents): void;
}

/** @throws FailureError NAME_UNSUPPORTED for a name that is not UTF-8 */
export async function walkWimSource(
  { source, partPath, leaveOut, rules }: Pick<WriteTask, "source" | "partPath" | "leaveOut" | "rules">,
  events: EngineEvents,
  signal: AbortSignal,
): Promise<WimSource> {
  const walked = new Map<string, WalkedEntry>();
  const excluded: Buffer[] = [];
  const hardLinks = new Set<string>();
  let bytes = 0;
  let files = 0;
  const exclude = (path: Buffer, code: string): void => {
    excluded.push(path);
    events.onWarning({ reason: "UNREADABLE", path, message: `cannot be read: ${code}` });
  };
  const onUnreadable = ({ path, error }: { path: Buffer; error: Error }): void =>
    exclude(path, (error as NodeJS.ErrnoException).code ?? "");
  const options: WalkOptions = {
    ...toWalkOptions(rules),
    leaveOut: [],
    onUnreadable,
    onExcluded: (path) => void excluded.push(path),
    onMountPoint: (path) => void excluded.push(...insideOf(source, path)),
  };
  const own = [partPath, ...leaveOut];
  for await (const { path, stats } of walkInTurns(source, options, signal)) {
    refuseOtherNames(path);
    if (own.includes(placeOf(source, path).toString())) {
      excluded.push(path);
      continue;
    }
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
    const { size, ctimeNs, mtimeNs } = stats;
    const target = stats.isSymbolicLink() ? readTarget(source, path) : undefined;
    walked.set(path.toString("latin1"), { size, ctimeNs, mtimeNs, isFile, target });
    if (!isFile) continue;
    files++;
    const identity = `${stats.dev}:${stats.ino}`;
    if (stats.nlink > 1n && hardLinks.has(identity)) continue;
    if (stats.nlink > 1n) hardLinks.add(identity);
    bytes += Number(size);
  }
  return {
    bytes,
    files,
    excluded,
    targetOf: (path) => walked.get(path.toString("latin1"))?.target,
    mtimeNsOf(path) {
      const before = walked.get(path.toString("latin1"));
      return before !== undefined && currentMtimeNs(source, path) === before.mtimeNs ? before.mtimeNs : undefined;
    },
    reportChanges(root, to) {
      for (const [text, before] of walked)
        if (before.isFile) reportChange(root, Buffer.from(text, "latin1"), before, to);
    },
  };
}

/** What a folder has: wimlib itself would go into what is mounted there. */
function insideOf(source: string, folder: Buffer): Buffer[] {
  try {
    return readdirSync(placeOf(source, folder), { encoding: "buffer" }).map((name) => joinPath(folder, name));
  } catch {
    return [];
  }
}

function currentMtimeNs(source: string, path: Buffer): bigint | undefined {
  try {
    // The source itself may be a link to what was walked.
    return (path.length === 0 ? statSync : lstatSync)(placeOf(source, path), { bigint: true }).mtimeNs;
  } catch {
    return undefined;
  }
}

function reportChange(source: string, path: Buffer, before: WalkedEntry, events: EngineEvents): void {
  try {
    const now = lstatSync(placeOf(source, path), { bigint: true });
    if (now.size === before.size && now.ctimeNs === before.ctimeNs) return;
    events.onWarning({ reason: "FILE_CHANGED", path, message: "the file changed while it was read" });
  } catch (error) {
    if (!hasErrorCode(error, "ENOENT", "ENOTDIR")) return;
    events.onWarning({ reason: "FILE_GONE", path, message: "the file was removed while it was read" });
  }
}

function refuseOtherNames(path: Buffer): void {
  if (Buffer.from(path.toString("utf8")).equals(path)) return;
  const name = displayPath(path);
  fail({
    reason: "NAME_UNSUPPORTED",
    engine: "wim",
    field: "destination",
    path: name,
    message: `a .wim file cannot hold ${JSON.stringify(name)}, whose name is not UTF-8: use .tar.zst`,
  });
}

/** Root reads everything, so only others are asked for their permission. */
function isReadable(source: string, path: Buffer): boolean {
  if (process.geteuid?.() === 0) return true;
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

/**
 * Formats the exclusion list for wimlib, which replaces its built-in one: that would drop files such as /hiberfil.sys without a word.
 *
 * @throws FailureError NAME_UNSUPPORTED for a path to exclude that has a wildcard or line break in it, which cannot be escaped
 */
export function formatExclusions(paths: readonly Buffer[]): string {
  const lines = paths.map((path) => {
    const text = path.toString();
    if (/[*?\n\r"';#]|^ | $/.test(text)) {
      fail({
        reason: "NAME_UNSUPPORTED",
        engine: "wim",
        field: "destination",
        path: text,
        message: `${JSON.stringify(text)} must be left out, and its name cannot be written in wimlib's exclusion list: use .tar.zst`,
      });
    }
    return `/${text}`;
  });
  return `[ExclusionList]\n${lines.join("\n")}\n`;
}
