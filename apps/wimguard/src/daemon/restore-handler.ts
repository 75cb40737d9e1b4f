import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { StoredRestore } from "../catalog/restore-store.ts";
import type { ListPage, ListRequest } from "../catalog/search-rows.ts";
import { describeWarnings } from "../catalog/warning-list.ts";
import { fail } from "../failure/failure.ts";
import { RunKind, RunState } from "../gen/wimguard/v1/common_pb.ts";
import {
  Conflict,
  type CreateRestoreRequest,
  type Restore,
  type RestoreProgressSchema,
  RestoreSchema,
  type RestoreService,
} from "../gen/wimguard/v1/restore_pb.ts";
import type { Downloads } from "../restore/download-file.ts";
import type { RestoreRequest, RestoreService as Restores } from "../restore/restore-service.ts";
import { answering, failing, failingStream } from "./failing.ts";
import { toCount, toProgress, toRun, toWarning } from "./run-message.ts";
import { streamJob } from "./stream-job.ts";

/** Creates the handlers of wimguard.v1.RestoreService. */
export function createRestoreHandler(
  restores: Restores,
  list: (request: ListRequest) => ListPage<StoredRestore>,
  downloads: Downloads,
): ServiceImpl<typeof RestoreService> {
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
    createRestore: (request, context) => createRestore(restores, request, context),
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

/** @throws FailureError NOT_SUPPORTED for what restores cannot do yet */
function toRequest(request: CreateRestoreRequest): RestoreRequest {
  const conflict = conflictOf[request.conflict];
  if (conflict === undefined) {
    const message = `unknown conflict ${request.conflict}: use FAIL, SKIP, IF_CHANGED or OVERWRITE`;
    fail({ reason: "FIELD_INVALID", field: "conflict", message });
  }
  if (request.requestId !== "") {
    fail({ reason: "NOT_SUPPORTED", message: "request_id is not supported for restores yet: leave it empty" });
  }
  const { snapshotUuid: uuid, paths, target, verify, skipOwner, deleteExtra } = request;
  return { uuid, paths, target, verify, skipOwner, conflict, deleteExtra };
}

async function* createRestore(
  restores: Restores,
  request: CreateRestoreRequest,
  { signal }: Pick<HandlerContext, "signal">,
) {
  const { uuid, ...job } = await failing(async () => restores.start(toRequest(request)));
  yield* streamJob<StoredRestore, MessageInitShape<typeof RestoreProgressSchema>>(job, signal, {
    started: { uuid, status: "started", message: `restoring into ${request.target}` },
    progress: (progress) => ({ uuid, status: "in_progress", progress: toProgress(progress) }),
    completed: ({ bytes, verifiedFiles, warnings }) => [
      ...warnings.first.map((warning) => ({ uuid, status: "in_progress", warning: toWarning(warning) })),
      {
        uuid,
        status: "completed",
        progress: toProgress({ bytesDone: bytes, bytesTotal: bytes, phase: "publishing" }),
        verifiedFiles: BigInt(verifiedFiles),
        message: describeWarnings(warnings),
      },
    ],
    failed: (error) => ({ uuid, status: "failed", error }),
  });
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
