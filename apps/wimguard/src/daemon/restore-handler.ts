import { Buffer } from "node:buffer";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { StoredRestore } from "../catalog/restore-store.ts";
import { describeWarnings, type StoredWarning } from "../catalog/warning-list.ts";
import { fail, statusOfReason } from "../failure/failure.ts";
import { RunKind, RunState, type WarningSchema } from "../gen/wimguard/v1/common_pb.ts";
import {
  Conflict,
  type CreateRestoreRequest,
  type Restore,
  type RestoreProgressSchema,
  RestoreSchema,
  type RestoreService,
} from "../gen/wimguard/v1/restore_pb.ts";
import type { JobProgress } from "../progress/progress-feed.ts";
import type { RestoreRequest, RestoreService as Restores } from "../restore/restore-service.ts";
import { answering, failing } from "./failing.ts";
import { listRestores, type RestorePager } from "./list-restores.ts";
import { streamJob } from "./stream-job.ts";

/** Creates the handlers of wimguard.v1.RestoreService. */
export function createRestoreHandler(
  restores: Restores,
  pager: RestorePager,
): Partial<ServiceImpl<typeof RestoreService>> {
  return {
    planRestore: (request) =>
      failing(async () => {
        const plan = await restores.plan(toRequest(request));
        return { create: BigInt(plan.entries), bytes: BigInt(plan.bytes), freeBytes: BigInt(plan.freeBytes) };
      }),
    createRestore: (request, context) => createRestore(restores, request, context),
    getRestore: ({ uuid }) => answering(() => toMessage(restores.get(uuid))),
    listRestores: (request) =>
      answering(() => {
        const { page, nextPageToken, total } = listRestores(pager, request);
        return { restores: page.map(toMessage), nextPageToken, totalSize: BigInt(total) };
      }),
  };
}

/** @throws FailureError NOT_SUPPORTED for what restores cannot do yet */
function toRequest(request: CreateRestoreRequest): RestoreRequest {
  const isNew = request.conflict === Conflict.UNSPECIFIED || request.conflict === Conflict.FAIL;
  if (!isNew) {
    const message = `conflict ${request.conflict} is not supported: restore into a new folder, CONFLICT_FAIL`;
    fail({ reason: "NOT_SUPPORTED", message });
  }
  if (request.deleteExtra) {
    fail({ reason: "NOT_SUPPORTED", message: "delete_extra is not supported: restore into a new folder" });
  }
  if (request.requestId !== "") {
    fail({ reason: "NOT_SUPPORTED", message: "request_id is not supported for restores yet: leave it empty" });
  }
  const { snapshotUuid: uuid, paths, target, verify, skipOwner } = request;
  return { uuid, paths, target, verify, skipOwner };
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

function toProgress({ bytesDone, bytesTotal, phase }: JobProgress) {
  return { bytesDone: BigInt(bytesDone), bytesTotal: BigInt(bytesTotal), phase };
}

function toWarning({ reason, path, displayPath, message }: StoredWarning): MessageInitShape<typeof WarningSchema> {
  return { reason, path: Buffer.from(path, "base64"), displayPath, message };
}

function toMessage(restore: StoredRestore): Restore {
  const { uuid, backupUuid, target, warnings, failure, createdAtMs, endedAtMs, bytes, files, verifiedFiles } = restore;
  const count = {
    bytesDone: BigInt(bytes),
    bytesTotal: BigInt(bytes),
    filesDone: BigInt(files),
    filesTotal: BigInt(files),
  };
  return create(RestoreSchema, {
    uuid,
    snapshotUuid: backupUuid,
    target,
    verifiedFiles: BigInt(verifiedFiles),
    run: {
      uuid,
      kind: RunKind.RESTORE,
      state: runStateOf(restore),
      subjectUuid: backupUuid,
      createTime: timestampFromMs(createdAtMs),
      ...(endedAtMs !== undefined && { endTime: timestampFromMs(endedAtMs) }),
      progress: count,
      warnings: warnings.first.map(toWarning),
      warningCount: BigInt(warnings.count),
      ...(failure !== undefined && { error: { code: statusOfReason[failure.reason], message: failure.message } }),
    },
  });
}

function runStateOf({ state, warnings }: StoredRestore): RunState {
  if (state === "completed") return warnings.count > 0 ? RunState.WARNED : RunState.COMPLETED;
  if (state === "failed") return RunState.FAILED;
  return state === "cancelled" ? RunState.CANCELLED : RunState.RUNNING;
}
