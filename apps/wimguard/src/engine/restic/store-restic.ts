import { Buffer } from "node:buffer";
import { statSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { createInterface } from "node:readline";
import { fail } from "../../failure/failure.ts";
import { type SourceSurvey, surveySource } from "../../source/survey-source.ts";
import type { EngineEvents, RepositoryEngine, StoreTask } from "../engine.ts";
import { readSnapshot, relativeTo } from "./list-snapshot.ts";
import { ensureRepository } from "./repository/ensure-repository.ts";
import { localFolderOf } from "./repository/repository-location.ts";
import { pastStaleLocks } from "./repository/stale-locks.ts";
import { checkResticEnd } from "./restic-failure.ts";
import { type BackupMessage, parseBackupMessage } from "./restic-messages.ts";
import { formatExcludes } from "./restic-patterns.ts";
import { runRestic } from "./restic-program.ts";
import { digestSource, writeSnapshotManifest } from "./snapshot-manifest.ts";
import { formatOriginTags, formatTagOption, formatUuidTag } from "./snapshot-origin.ts";

/** Some data could not be read; the snapshot was made of the rest. */
const incompleteCode = 3;

/** Stores a source as one snapshot of a repository, which is made if there is none. */
export const storeRestic: RepositoryEngine["store"] = async (task, outputs, events, signal) => {
  events.onPhase("scanning");
  const { source, rules } = task;
  const folder = localFolderOf(task.repository);
  const leaveOut = [...(folder === undefined ? [] : [folder]), task.partPath, ...task.leaveOut];
  const survey = await surveySource({ source, leaveOut, rules }, events, signal);
  events.onTotal(survey.bytes, survey.files);
  const root = rootOf(source);
  await ensureRepository(task, outputs.files, signal);
  const { addedBytes, snapshotId } = await backUp(task, root, survey, events, signal);
  events.onReached(survey.bytes);
  events.onPhase("verifying");
  if (folder !== undefined) await outputs.files.syncTree(folder);
  const { id, nodes } = await readOwnSnapshot(task, snapshotId, signal);
  const digests = await digestSource(task, survey, signal);
  const changed = new Set(survey.reportChanges(source, events).map((path) => path.toString("latin1")));
  const content = { nodes, root: root.folder, nameOf: root.nameOf, digests, changed };
  const { sourceBytes, files } = await writeSnapshotManifest(survey, content, outputs);
  return { id, root: root.folder, addedBytes, sourceBytes, files, image: 1 };
};

interface SourceRoot {
  /** What paths of the manifest are relative to. */
  readonly folder: string;
  readonly nameOf: (path: Buffer) => Buffer;
}

/** A source that is a file has its folder's place, and one name. */
function rootOf(source: string): SourceRoot {
  if (statSync(source).isDirectory()) return { folder: source, nameOf: (path) => path };
  const name = Buffer.from(basename(source));
  return { folder: dirname(source), nameOf: () => name };
}

interface StoredData {
  /** What the repository has grown by. */
  readonly addedBytes: number;
  /** Before restic 0.16 its beginning. */
  readonly snapshotId: string;
}

async function backUp(
  task: StoreTask,
  { folder }: SourceRoot,
  survey: SourceSurvey,
  events: EngineEvents,
  signal: AbortSignal,
): Promise<StoredData> {
  const { lines, args: excludes } = formatExcludes(folder, survey.excluded);
  const args = [
    "backup",
    "--json",
    `--compression=${task.compression.method.toLowerCase()}`,
    ...formatOriginTags(task.origin).map(formatTagOption),
    ...excludes,
    ...(lines.length > 0 ? [`--exclude-file=${task.scratchPath}`] : []),
    "--",
    task.source,
  ];
  let stored: StoredData = { addedBytes: 0, snapshotId: "" };
  const take = (message: BackupMessage | undefined): void => {
    if (message?.kind === "status") events.onReached(message.bytesDone);
    else if (message?.kind === "summary") stored = message;
    else if (message?.kind === "unreadable") {
      const path = Buffer.from(relativeTo(folder, message.path) ?? message.path);
      events.onWarning({ reason: "UNREADABLE", path, message: message.problem });
    }
  };
  try {
    if (lines.length > 0) await writeFile(task.scratchPath, lines, { mode: 0o600, flag: "wx" });
    events.onPhase("reading");
    await pastStaleLocks(
      task,
      async () => {
        const end = await runRestic(
          task,
          {
            args,
            onErrorLine: (line) => take(parseBackupMessage(line)),
            async read(stdout) {
              for await (const line of createInterface({ input: stdout })) take(parseBackupMessage(line));
            },
          },
          signal,
        );
        checkResticEnd(end, { what: `back up ${task.source}` }, [0, incompleteCode]);
      },
      signal,
    );
  } finally {
    await rm(task.scratchPath, { force: true });
  }
  return stored;
}

/** Each start of restic opens the repository, which takes half a second: the list of what is in the snapshot says its whole id as well. */
async function readOwnSnapshot(task: StoreTask, snapshotId: string, signal: AbortSignal) {
  const found = snapshotId === "" ? undefined : await readSnapshot(task, snapshotId, signal);
  const isOwn = found?.snapshot?.tags.includes(formatUuidTag(task.origin.uuid)) === true;
  if (isOwn) return { id: found.snapshot.id, nodes: found.nodes };
  fail({ reason: "ENGINE_DIED", engine: "restic", message: `restic has made no snapshot of ${task.source}` });
}
