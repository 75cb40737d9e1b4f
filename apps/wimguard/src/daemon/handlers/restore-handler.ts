import { Buffer } from "node:buffer";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { StoredRestore } from "../../catalog/restore-store.ts";
import type { ListPage, ListRequest } from "../../catalog/search-rows.ts";
import { describeWarnings } from "../../catalog/warning-list.ts";
import { fail } from "../../failure/failure.ts";
import { toConnectError } from "../../failure/to-connect-error.ts";
import { RunKind, RunState } from "../../gen/wimguard/v1/common_pb.ts";
import {
  Conflict,
  type CreateRestoreRequest,
  type Restore,
  type RestoreProgressSchema,
  RestoreSchema,
  type RestoreService,
} from "../../gen/wimguard/v1/restore_pb.ts";
import type { Downloads } from "../../restore/download-file.ts";
import type { RestoreRequest, RestoreService as Restores } from "../../restore/restore-service.ts";
import { followRun } from "../../runs/follow-run.ts";
import type { LiveRun, RunRegistry } from "../../runs/run-registry.ts";
import type { StartedRequests } from "../../runs/start-once.ts";
import { answering, failing, failingStream } from "./failing.ts";
import { toCount, toProgress, toRun, toWarning } from "./run-message.ts";
import { streamJob } from "./stream-job.ts";

export interface RestoreHandlerParts {
  readonly restores: Restores;
  readonly list: (request: ListRequest) => ListPage<StoredRestore>;
  readonly downloads: Downloads;
  readonly runs: RunRegistry;
  readonly requests: StartedRequests;
}

/** Creates the handlers of wimguard.v1.RestoreService. */
export function createRestoreHandler(parts: RestoreHandlerParts): ServiceImpl<typeof RestoreService> {
  const { restores, list, downloads } = parts;
  return {
    planRestore: (request) =>
      failing(async () => {
        const plan = await restores.plan(toRequest(request));
        return {
          create: BigInt(plan.create),
          overwrite: BigInt(plan.overwrite),
          delete: BigInt(plan.delete),
          unchanged: BigInt(plan.unchanged),
          bytes: BigInt(plan.bytes),
          freeBytes: BigInt(plan.freeBytes),
        };
      }),
    createRestore: (request, context) => createRestore(parts, request, context),
    getRestore: ({ uuid }) => answering(() => toMessage(restores.get(uuid))),
    listRestores: (request) =>
      answering(() => {
        const { items, nextPageToken, total } = list(request);
        return { restores: items.map(toMessage), nextPageToken, totalSize: BigInt(total) };
      }),
    downloadFile: ({ snapshotUuid: uuid, path, offset }, { signal }) =>
      failingStream(downloads.download({ uuid, path, offset: Number(offset) }, signal), ({ offset: at, ...chunk }) => ({
        ...chunk,
        offset: BigInt(at),
      })),
  };
}

const conflictOf: Partial<Record<Conflict, RestoreRequest["conflict"]>> = {
  [Conflict.UNSPECIFIED]: "fail",
  [Conflict.FAIL]: "fail",
  [Conflict.SKIP]: "skip",
  [Conflict.IF_CHANGED]: "if_changed",
  [Conflict.OVERWRITE]: "overwrite",
};

/** Validates a request. @throws FailureError FIELD_INVALID */
function toRequest(request: CreateRestoreRequest): RestoreRequest {
  const conflict = conflictOf[request.conflict];
  if (conflict === undefined) {
    const message = `unknown conflict ${request.conflict}: use FAIL, SKIP, IF_CHANGED or OVERWRITE`;
    fail({ reason: "FIELD_INVALID", field: "conflict", message });
  }
  const { snapshotUuid: uuid, paths, target, verify, skipOwner, deleteExtra } = request;
  return { uuid, paths, target, verify, skipOwner, conflict, deleteExtra };
}

async function* createRestore(
  { restores, runs, requests }: RestoreHandlerParts,
  request: CreateRestoreRequest,
  { signal }: Pick<HandlerContext, "signal">,
): AsyncGenerator<MessageInitShape<typeof RestoreProgressSchema>> {
  const { run, started } = await failing(async () => {
    const wanted = toRequest(request);
    const content = { ...wanted, paths: wanted.paths.map((path) => Buffer.from(path).toString("base64")) };
    return requests.startOnce(request.requestId, { restore: content }, (startedBy) =>
      restores.start(wanted, startedBy),
    );
  });
  if (started === undefined) {
    // The job belongs to the first call: only its end cancels the job.
    yield* followRestore(restores, followRun(runs, run?.uuid ?? "", signal), signal);
    return;
  }
  const { uuid, ...job } = started;
  yield* streamJob<StoredRestore, MessageInitShape<typeof RestoreProgressSchema>>(job, signal, {
    started: { uuid, status: "started", message: `restoring into ${request.target}` },
    progress: (progress) => ({ uuid, status: "in_progress", progress: toProgress(progress) }),
    completed: completedMessages,
    failed: (error) => ({ uuid, status: "failed", error }),
  });
}

/** Yields the messages of a restore that another call started. */
async function* followRestore(
  restores: Restores,
  states: AsyncIterable<LiveRun>,
  signal: AbortSignal,
): AsyncGenerator<MessageInitShape<typeof RestoreProgressSchema>> {
  let isFirst = true;
  for await (const { uuid, state, progress, failure } of states) {
    if (isFirst) yield { uuid, status: "started", message: `restoring into ${restores.get(uuid).target}` };
    isFirst = false;
    if (progress !== undefined && state === "running")
      yield { uuid, status: "in_progress", progress: toProgress(progress) };
    if (state === "completed" || state === "warned") yield* completedMessages(restores.get(uuid));
    if (failure === undefined) continue;
    yield { uuid, status: "failed", error: failure.message };
    throw toConnectError(failure);
  }
  if (signal.aborted) throw signal.reason;
}

function completedMessages(restore: StoredRestore): MessageInitShape<typeof RestoreProgressSchema>[] {
  const { uuid, bytes, verifiedFiles, warnings } = restore;
  return [
    ...warnings.first.map((warning) => ({ uuid, status: "in_progress", warning: toWarning(warning) })),
    {
      uuid,
      status: "completed",
      progress: toProgress({ bytesDone: bytes, bytesTotal: bytes, phase: "publishing" }),
      verifiedFiles: BigInt(verifiedFiles),
      message: describeWarnings(warnings),
    },
  ];
}

function toMessage(restore: StoredRestore): Restore {
  const { uuid, backupUuid, target, warnings, failure, createdAtMs, endedAtMs, verifiedFiles } = restore;
  return create(RestoreSchema, {
    uuid,
    snapshotUuid: backupUuid,
    target,
    verifiedFiles: BigInt(verifiedFiles),
    run: toRun({
      uuid,
      kind: RunKind.RESTORE,
      state: runStateOf(restore),
      subjectUuid: backupUuid,
      createdAtMs,
      endedAtMs,
      progress: toCount(restore),
      warnings,
      failure,
    }),
  });
}

function runStateOf({ state, warnings }: StoredRestore): RunState {
  if (state === "completed") return warnings.count > 0 ? RunState.WARNED : RunState.COMPLETED;
  if (state === "failed") return RunState.FAILED;
  return state === "cancelled" ? RunState.CANCELLED : RunState.RUNNING;
}
