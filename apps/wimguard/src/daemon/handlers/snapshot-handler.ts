import { Buffer } from "node:buffer";
import { clone, create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { applyFieldMask, type ListFields, matchesFilter, type PageTokens, parseFilter } from "@tercel/aip";
import type { StoredBackup } from "../../catalog/backup-store.ts";
import { pageSizeOf } from "../../catalog/search-rows.ts";
import { describeWarnings } from "../../catalog/warning-list.ts";
import { toEngine } from "../../engine/engine-enum.ts";
import { fail } from "../../failure/failure.ts";
import { toFailure } from "../../failure/to-failure.ts";
import { type Run, RunKind, RunState } from "../../gen/wimguard/v1/common_pb.ts";
import {
  Difference_Change,
  Entry_KindSchema,
  type ExploreRequest,
  type ExploreResponseSchema,
  type Snapshot,
  SnapshotSchema,
  type SnapshotService,
} from "../../gen/wimguard/v1/snapshot_pb.ts";
import { checkPaths } from "../../restore/check-restore.ts";
import type { Downloads } from "../../restore/download-file.ts";
import type { KeepReasons } from "../../schedule/keep-reasons.ts";
import type { CheckResult, CheckService, StartedCheck } from "../../snapshot/check-service.ts";
import { type Difference, diffSnapshots } from "../../snapshot/diff-snapshots.ts";
import { Explorer, toLineError } from "../../snapshot/explore.ts";
import { findVersions } from "../../snapshot/find-versions.ts";
import { listEntries } from "../../snapshot/list-entries.ts";
import { etagOf, type SnapshotService as Snapshots } from "../../snapshot/snapshot-service.ts";
import { toEntry } from "./entry-message.ts";
import { answering, failing, failingStream } from "./failing.ts";
import { toCount, toProgress, toRun } from "./run-message.ts";
import { streamJob } from "./stream-job.ts";

export interface SnapshotHandlerParts {
  readonly snapshots: Snapshots;
  readonly checks: CheckService;
  /** Page tokens of lists from manifests: the cursor is the number of items on earlier pages. */
  readonly tokens: PageTokens<number>;
  readonly downloads: Downloads;
  manifestOf(snapshot: StoredBackup): string;
  /** Called once per response. */
  createKeepReasons(): KeepReasons;
}

const entryFields: ListFields = {
  display_path: "string",
  kind: Entry_KindSchema,
  size: "number",
  mode: "number",
  uid: "number",
  gid: "number",
  mtime: "timestamp",
  digest: "string",
};

/** Fields that only the daemon sets. */
const outputOnly = SnapshotSchema.fields
  .map(({ name }) => name)
  .filter((name) => !["tags", "description", "pinned", "purge_time"].includes(name));

/** Limit on the snapshots to search for versions: more manifests would take too long for one call. */
const maxSearched = 1000;

/** Creates the handlers of wimguard.v1.SnapshotService. */
export function createSnapshotHandler(parts: SnapshotHandlerParts): ServiceImpl<typeof SnapshotService> {
  const { snapshots, checks, tokens, manifestOf, createKeepReasons } = parts;

  /** Returns a page of a complete list. */
  function pageOf<Item>(items: readonly Item[], request: { pageSize: number; pageToken: string }, query: string[]) {
    const limit = pageSizeOf(request.pageSize);
    const skip = tokens.read(query, request.pageToken) ?? 0;
    const next = skip + limit;
    return { page: items.slice(skip, next), nextPageToken: next < items.length ? tokens.create(query, next) : "" };
  }

  return {
    getSnapshot: ({ uuid }) => answering(() => toSnapshot(snapshots.get(uuid), createKeepReasons())),

    listSnapshots: (request) =>
      answering(() => {
        const { items, nextPageToken, total } = snapshots.list(request);
        const keepReasons = createKeepReasons();
        const shown = items.map((one) => toSnapshot(one, keepReasons));
        return { snapshots: shown, nextPageToken, totalSize: BigInt(total) };
      }),

    updateSnapshot: ({ snapshot, updateMask }) =>
      answering(() => {
        if (snapshot === undefined) {
          fail({ reason: "FIELD_REQUIRED", field: "snapshot", message: "snapshot is required" });
        }
        const updated = clone(SnapshotSchema, toSnapshot(snapshots.get(snapshot.uuid)));
        const { purgeTime: before } = updated;
        applyFieldMask(SnapshotSchema, updated, snapshot, updateMask, { outputOnly });
        if (updated.purgeTime !== undefined && updated.purgeTime.seconds !== before?.seconds) {
          const message = "purge_time is set by retention; clear it to keep the snapshot";
          fail({ reason: "FIELD_INVALID", field: "snapshot.purge_time", message });
        }
        const { description, tags, pinned: isPinned, purgeTime } = updated;
        const change = { description, tags, isPinned, isPurged: purgeTime !== undefined };
        return toSnapshot(snapshots.update(snapshot.uuid, snapshot.etag, change), createKeepReasons());
      }),

    deleteSnapshot: ({ uuid, etag, validateOnly }) =>
      failing(async () => {
        await snapshots.delete(uuid, etag, validateOnly);
        return {};
      }),

    listEntries: (request) =>
      failing(async () => {
        const { snapshotUuid, filter, orderBy, recursive } = request;
        if (orderBy !== "") {
          const message = "order_by is not supported for entries: they are listed in archive order";
          fail({ reason: "FIELD_INVALID", field: "order_by", message });
        }
        const [parent = Buffer.alloc(0)] = checkPaths([request.parent]);
        const snapshot = snapshots.get(snapshotUuid);
        const matches = parseFilter(filter, entryFields);
        const query = [snapshotUuid, parent.toString("latin1"), String(recursive), filter];
        const skip = tokens.read(query, request.pageToken) ?? 0;
        const limit = pageSizeOf(request.pageSize);
        const { entries, total } = await listEntries(manifestOf(snapshot), {
          parent,
          isRecursive: recursive,
          matches: (entry) => filter === "" || matchesFilter(matches, toEntry(entry)),
          skip,
          limit,
        });
        const next = skip + entries.length;
        const nextPageToken = next < total ? tokens.create(query, next) : "";
        return { entries: entries.map(toEntry), nextPageToken, totalSize: BigInt(total) };
      }),

    findVersions: (request) =>
      failing(async () => {
        const [path = Buffer.alloc(0)] = checkPaths([request.path]);
        if (path.length === 0) fail({ reason: "FIELD_REQUIRED", field: "path", message: "path is required" });
        const newest = snapshots.list({
          pageSize: maxSearched,
          pageToken: "",
          filter: "",
          orderBy: "create_time desc",
        }).items;
        const versions = await findVersions(newest.toReversed(), path, manifestOf);
        const { page, nextPageToken } = pageOf(versions.toReversed(), request, [path.toString("latin1")]);
        return {
          versions: page.map(({ snapshot, entry }) => ({ snapshot: toSnapshot(snapshot), entry: toEntry(entry) })),
          nextPageToken,
        };
      }),

    diffSnapshots: ({ baseUuid, otherUuid, path }, { signal }) =>
      failingStream(
        diff(() => {
          const [inside = Buffer.alloc(0)] = checkPaths([path]);
          const [base, other] = [snapshots.get(baseUuid), snapshots.get(otherUuid)];
          return diffSnapshots(manifestOf(base), manifestOf(other), inside, signal);
        }),
        toDifference,
      ),

    explore: (requests, { signal }) => explore(requests, parts, signal),

    async *verifySnapshot({ snapshotUuid, percent }, { signal }) {
      yield* streamCheck(RunKind.VERIFY, await failing(() => checks.verify(snapshotUuid, percent)), signal);
    },

    async *drillSnapshot({ snapshotUuid, maxFiles, maxBytes }, { signal }) {
      const limits = { maxFiles, maxBytes: Number(maxBytes) };
      yield* streamCheck(RunKind.DRILL, await failing(() => checks.drill(snapshotUuid, limits)), signal);
    },
  };
}

/** Runs a shell in a snapshot: yields the responses to each line; the last one of a line has `done` set. */
async function* explore(
  requests: AsyncIterable<ExploreRequest>,
  { snapshots, downloads, manifestOf }: SnapshotHandlerParts,
  signal: AbortSignal,
): AsyncGenerator<MessageInitShape<typeof ExploreResponseSchema>> {
  let explorer: Explorer | undefined;
  for await (const { id, line, snapshotUuid } of requests) {
    explorer ??= answering(() => {
      const snapshot = snapshots.get(snapshotUuid);
      const { uuid } = snapshot;
      return new Explorer({
        manifestPath: manifestOf(snapshot),
        async *read(path) {
          for await (const { data } of downloads.download({ uuid, path, offset: 0 }, signal)) yield data;
        },
      });
    });
    let error = "";
    try {
      for await (const { entries = [], ...part } of explorer.run(line)) {
        yield { id, ...part, entries: entries.map(toEntry) };
      }
    } catch (problem) {
      error = toLineError(problem);
    }
    yield { id, done: true, error };
  }
}

/** Starts a diff when its stream is read, so that errors reach the reader. */
async function* diff(start: () => AsyncIterable<Difference>): AsyncGenerator<Difference> {
  yield* start();
}

const changeOf: Readonly<Record<Difference["change"], Difference_Change>> = {
  added: Difference_Change.ADDED,
  removed: Difference_Change.REMOVED,
  content: Difference_Change.CONTENT,
  metadata: Difference_Change.METADATA,
};

function toDifference({ change, before, after }: Difference) {
  return {
    change: changeOf[change],
    ...(before !== undefined && { before: toEntry(before) }),
    ...(after !== undefined && { after: toEntry(after) }),
  };
}

async function* streamCheck(
  kind: RunKind,
  { uuid, snapshots, startedAtMs: createdAtMs, ...job }: StartedCheck,
  signal: AbortSignal,
): AsyncGenerator<Run> {
  const [first] = snapshots;
  const run = { uuid, kind, subjectUuid: first?.uuid ?? "", createdAtMs };
  yield* streamJob<CheckResult, Run>(job, signal, {
    started: toRun({ ...run, state: RunState.QUEUED }),
    progress: (progress) => toRun({ ...run, state: RunState.RUNNING, progress: toProgress(progress) }),
    completed: (result) => [
      toRun({
        ...run,
        state: result.warnings.count > 0 ? RunState.WARNED : RunState.COMPLETED,
        endedAtMs: Date.now(),
        progress: toCount(result),
        warnings: result.warnings,
        message: describeWarnings(result.warnings),
      }),
    ],
    failed: (_, error) => toRun({ ...run, state: RunState.FAILED, endedAtMs: Date.now(), failure: toFailure(error) }),
  });
}

/** Describes the location: the archive and its image, or the repository and its snapshot. */
function locationOf({ destination, image, archive, engine }: StoredBackup): string {
  if (engine === "restic") return `${destination}, snapshot ${archive.sha256.slice(0, 8)}`;
  return image === 1 ? destination : `${destination}, image ${image}`;
}

function toSnapshot(backup: StoredBackup, keepReasons: KeepReasons = () => []): Snapshot {
  const { uuid, engine, source, createdAtMs, size, addedBytes, files, tags, description, warnings } = backup;
  const { verifiedAtMs, drilledAtMs, purgeAtMs, isPinned, envUuid, scheduleUuid } = backup;
  return create(SnapshotSchema, {
    uuid,
    backupUuid: uuid,
    engine: toEngine(engine),
    source,
    location: locationOf(backup),
    createTime: timestampFromMs(createdAtMs),
    sourceBytes: BigInt(size),
    storedBytes: BigInt(addedBytes),
    files: BigInt(files),
    tags: { ...tags },
    description,
    pinned: isPinned,
    keepReasons: [...keepReasons(backup)],
    ...(verifiedAtMs !== undefined && { verifyTime: timestampFromMs(verifiedAtMs) }),
    ...(drilledAtMs !== undefined && { drillTime: timestampFromMs(drilledAtMs) }),
    ...(purgeAtMs !== undefined && { purgeTime: timestampFromMs(purgeAtMs) }),
    envUuid,
    scheduleUuid,
    warningCount: BigInt(warnings.count),
    etag: etagOf(backup),
  });
}
