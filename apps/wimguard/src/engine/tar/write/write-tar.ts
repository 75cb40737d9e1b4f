import { Buffer } from "node:buffer";
import { lstatSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { Writable } from "node:stream";
import { fail } from "../../../failure/failure.ts";
import { hasErrorCode } from "../../../failure/to-failure.ts";
import { toWalkOptions } from "../../../source/source-rules.ts";
import { walkInTurns } from "../../../source/walk-in-turns.ts";
import { placeOf, replacedCode, type UnreadableEntry, walkSource } from "../../../source/walk-source.ts";
import type { EngineEvents, EngineWarning, WriteOutputs, WriteTask, WrittenFile } from "../../engine.ts";
import { runProgram } from "../../run-program.ts";
import { untilDrained } from "../../until-drained.ts";
import { parseTarMessage } from "../format/tar-messages.ts";
import { archiveStart, verifyTar } from "../verify-tar.ts";
import { ArchiveWriter } from "./archive-writer.ts";
import { EntryStates, toLookedEntry } from "./entry-states.ts";
import { ReplacedEntries } from "./replaced-entries.ts";
import { nothingReused, type ReusedEntries, reuseFrames } from "./reuse-frames.ts";
import { TarRun, type TarRunTarget } from "./tar-run.ts";

/** Files that change while they are read are read again so often. */
const maxRounds = 3;
/** Warnings that are kept to be reported; further ones would only take memory. */
const maxChangedFiles = 10_000;
/** Names that are given to the program at once. */
const namesAtOnce = 512;

/** Where tar starts. Paths of members and of the manifest are relative to the folder. */
interface Root {
  readonly folder: string;
  /** The first member. */
  readonly name: string;
}

/**
 * Writes a tar archive of a source by GNU tar. Its stream is read on the way: the headers give the manifest, the members' borders the
 * frames. Files that change meanwhile are archived once more at the end; whoever extracts the archive gets the last one.
 */
export async function writeTar(
  task: WriteTask,
  outputs: WriteOutputs,
  events: EngineEvents,
  signal: AbortSignal,
): Promise<WrittenFile> {
  const root = rootOf(task.source);
  events.onPhase("scanning");
  const scan = await scanSource(task, events, signal);
  events.onTotal(scan.bytes, scan.files);
  events.onPhase("reading");
  const archive = new ArchiveWriter(outputs, task.compression);
  const state: TarState = { archive, outputs, events, sourceBytes: 0, files: 0 };
  let changed: EngineWarning[] = [];
  try {
    const reused =
      task.previous === undefined || root.name !== "."
        ? nothingReused
        : await reuseFrames(task.previous, root.folder, state, signal);
    const states = new EntryStates();
    const replaced = new ReplacedEntries((path) => warnOfFolder(events, path));
    const target = { ...state, takeLooked: (path: Buffer) => states.take(path), replaced };
    const names = sourceNames(task, root, { reused, states, events });
    changed = await runRound(root, names, { ...target, round: 0 }, state, signal);
    state.sourceBytes += reused.sourceBytes;
    state.files += reused.files;
    for (let round = 1; round < maxRounds && changed.length > 0; round++) {
      const again = changed.filter(({ path }) => !replaced.isBlocked(path) && canBeReadAgain(root, path));
      const kept = changed.filter((warning) => !again.includes(warning));
      if (again.length === 0) break;
      const names = namesAgain(root, again, states);
      changed = [...kept, ...(await runRound(root, names, { ...target, round }, state, signal))];
    }
    await archive.finish(task.origin);
  } catch (error) {
    await archive.abandon();
    throw error;
  }
  for (const warning of changed) events.onWarning(warning);
  const written = { sourceBytes: state.sourceBytes, files: state.files, image: 1 };
  const { newFrom } = archive;
  if (newFrom === archiveStart) return written;
  return { ...written, verifyNew: (to, until) => verifyTar(task.partPath, newFrom, to, until) };
}

function warnOfFolder(events: EngineEvents, path: Buffer): void {
  events.onWarning({ reason: "FILE_CHANGED", path, message: "the folder was replaced while the source was read" });
}

function walkOptionsOf({ leaveOut, rules }: WriteTask) {
  return { leaveOut, ...toWalkOptions(rules) };
}

interface TarState {
  readonly archive: ArchiveWriter;
  readonly outputs: WriteOutputs;
  readonly events: EngineEvents;
  sourceBytes: number;
  files: number;
}

/** For a source that is a file, its folder with that one name. */
function rootOf(source: string): Root {
  if (statSync(source).isDirectory()) return { folder: source, name: "." };
  return { folder: dirname(source), name: `./${basename(source)}` };
}

/** The dot keeps names apart from options. */
function memberName(path: Buffer): Buffer {
  return Buffer.concat([Buffer.from("./"), path]);
}

async function scanSource(task: WriteTask, events: EngineEvents, signal: AbortSignal) {
  let bytes = 0;
  let files = 0;
  const hardLinks = new Set<string>();
  const onUnreadable = ({ path, error }: { path: Buffer; error: Error }): void => {
    const { code = "" } = error as NodeJS.ErrnoException;
    events.onWarning({ reason: "UNREADABLE", path, message: `cannot be read: ${code}` });
  };
  for await (const { stats } of walkInTurns(task.source, { ...walkOptionsOf(task), onUnreadable }, signal)) {
    if (!stats.isFile()) continue;
    files++;
    if (stats.nlink > 1n) {
      const identity = `${stats.dev}:${stats.ino}`;
      if (hardLinks.has(identity)) continue;
      hardLinks.add(identity);
    }
    bytes += Number(stats.size);
  }
  return { bytes, files };
}

interface NamesParts {
  readonly reused: ReusedEntries;
  readonly states: EntryStates;
  readonly events: EngineEvents;
}

async function* sourceNames(
  task: WriteTask,
  root: Root,
  { reused, states, events }: NamesParts,
): AsyncGenerator<Buffer> {
  const onUnreadable = ({ path, error }: UnreadableEntry): void => {
    // What cannot be read was reported by the scan.
    if (hasErrorCode(error, replacedCode)) warnOfFolder(events, path);
  };
  const walk = walkSource(task.source, { ...walkOptionsOf(task), onUnreadable });
  let blocked: string | undefined;
  for (const { path, stats } of walk) {
    if (blocked !== undefined && path.toString("latin1").startsWith(blocked)) continue;
    if (reused.has(path)) {
      // Archived as a link or file a moment ago, and a folder now: what is inside has no place in the archive.
      if (!stats.isDirectory() || !reused.hasAsLeaf(path)) continue;
      blocked = `${path.toString("latin1")}/`;
      events.onWarning({ reason: "FILE_CHANGED", path, message: "it became a folder while the source was read" });
      continue;
    }
    states.add(path, toLookedEntry(stats));
    yield path.length === 0 ? Buffer.from(root.name) : memberName(path);
  }
}

async function* namesAgain(
  { folder }: Root,
  files: readonly EngineWarning[],
  states: EntryStates,
): AsyncGenerator<Buffer> {
  for (const { path } of files) {
    try {
      states.add(path, toLookedEntry(lstatSync(placeOf(folder, path), { bigint: true })));
    } catch {
      // tar says that it is gone.
    }
    yield memberName(path);
  }
}

/** A second run of tar does not know the hard links of the first; a copy in place of a link would be worse than a warning. */
function canBeReadAgain({ folder }: Root, path: Buffer): boolean {
  try {
    for (let end = path.indexOf("/"); end >= 0; end = path.indexOf("/", end + 1)) {
      // What a link leads to is not in the source.
      if (!lstatSync(placeOf(folder, path.subarray(0, end))).isDirectory()) return false;
    }
    const stats = lstatSync(placeOf(folder, path));
    return stats.isFile() && stats.nlink === 1;
  } catch {
    return false;
  }
}

const tarOptions = [
  "--create",
  "--format=posix",
  "--xattrs",
  "--acls",
  "--sparse",
  "--numeric-owner",
  "--no-recursion",
  // 64 KiB at a time instead of 10: what fills the last record comes after the end marker and is not kept.
  "--blocking-factor=128",
  "--quoting-style=escape",
  "--null",
  "--files-from=-",
  "--file=-",
];

/** Archives the names and returns the warnings of files that changed meanwhile; other warnings are reported. */
async function runRound(
  root: Root,
  names: AsyncGenerator<Buffer>,
  target: Omit<TarRunTarget, "onReplaced">,
  state: TarState,
  signal: AbortSignal,
): Promise<EngineWarning[]> {
  const changed = new Map<string, EngineWarning>();
  const failures: string[] = [];
  const addChanged = (warning: EngineWarning): void => {
    if (changed.size < maxChangedFiles) changed.set(warning.path.toString("latin1"), warning);
  };
  const onErrorLine = (line: string): void => {
    const message = parseTarMessage(line);
    if (message.kind === "failure") failures.push(message.text);
    if (message.kind !== "warning") return;
    const { warning } = message;
    if (warning.reason !== "FILE_CHANGED") state.events.onWarning(warning);
    else addChanged(warning);
  };
  const onReplaced = (path: Buffer): void =>
    addChanged({ reason: "FILE_CHANGED", path, message: "another file was in its place while the source was read" });
  const run = new TarRun({ ...target, onReplaced }, signal);
  const end = await runProgram(
    {
      engine: "tar",
      program: "tar",
      args: tarOptions,
      folder: root.folder,
      onErrorLine,
      feed: (stdin) => feedNames(stdin, names),
      read: (stdout) => run.read(stdout),
    },
    signal,
  );
  // 0: all well; 1: files changed; 2: something could not be read, which the lines say, or worse, which they say too.
  if (failures.length > 0 || end.code > 2) {
    const text = failures[0] ?? end.lastLines.at(-1) ?? `exit code ${end.code}`;
    fail({ reason: "ENGINE_DIED", engine: "tar", message: `tar failed: ${text}` });
  }
  run.finish();
  if (target.round === 0) {
    state.sourceBytes = run.sourceBytes;
    state.files = run.files;
  }
  return [...changed.values()];
}

async function feedNames(stdin: Writable, names: AsyncGenerator<Buffer>): Promise<void> {
  const nul = Buffer.alloc(1);
  let batch: Buffer[] = [];
  const flush = async (): Promise<void> => {
    const bytes = Buffer.concat(batch);
    batch = [];
    if (stdin.destroyed || stdin.write(bytes)) return;
    await untilDrained(stdin);
  };
  for await (const name of names) {
    batch.push(name, nul);
    if (batch.length >= 2 * namesAtOnce) await flush();
    if (stdin.destroyed) return;
  }
  await flush();
  stdin.end();
}
