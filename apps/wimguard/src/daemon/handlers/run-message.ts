import { Buffer } from "node:buffer";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack, durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { StoredWarning, Warnings } from "../../catalog/warning-list.ts";
import type { Failure } from "../../failure/failure.ts";
import { toConnectError } from "../../failure/to-connect-error.ts";
import type { StatusSchema } from "../../gen/google/rpc/status_pb.ts";
import {
  type ProgressSchema,
  type Run,
  type RunKind,
  RunSchema,
  type RunState,
  type WarningSchema,
} from "../../gen/wimguard/v1/common_pb.ts";
import type { JobProgress } from "../../progress/progress-feed.ts";
import type { LiveRun } from "../../runs/run-registry.ts";
import { toRunEnums } from "../../runs/run-store.ts";

/** The facts of a run that clients see. */
export interface RunFacts {
  readonly uuid: string;
  readonly kind: RunKind;
  readonly state: RunState;
  readonly subjectUuid: string;
  readonly createdAtMs: number;
  readonly endedAtMs?: number | undefined;
  readonly progress?: MessageInitShape<typeof ProgressSchema>;
  readonly warnings?: Warnings;
  readonly failure?: Failure | undefined;
  readonly message?: string;
}

export function toRun(facts: RunFacts): Run {
  const { uuid, kind, state, subjectUuid, createdAtMs, endedAtMs, progress, warnings, failure, message = "" } = facts;
  return create(RunSchema, {
    uuid,
    kind,
    state,
    subjectUuid,
    createTime: timestampFromMs(createdAtMs),
    ...(endedAtMs !== undefined && { endTime: timestampFromMs(endedAtMs) }),
    ...(progress !== undefined && { progress }),
    warnings: warnings?.first.map(toWarning) ?? [],
    warningCount: BigInt(warnings?.count ?? 0),
    ...(failure !== undefined && { error: toStatus(failure) }),
    message,
  });
}

/** Returns the status of a failed run, with the details of its call's error. */
function toStatus(failure: Failure): MessageInitShape<typeof StatusSchema> {
  const { code, rawMessage: message, details } = toConnectError(failure);
  const packed = details.flatMap((detail) =>
    "desc" in detail ? [anyPack(detail.desc, create(detail.desc, detail.value))] : [],
  );
  return { code, message, details: packed };
}

/** Converts a run. */
export function toRunMessage(run: LiveRun): Run {
  const { uuid, subjectUuid, scheduleUuid, revision, createdAtMs, startedAtMs, endedAtMs, progress } = run;
  const { warnings, failure, message, bytes, files } = run;
  const facts = { uuid, subjectUuid, createdAtMs, endedAtMs, warnings, failure, message, ...toRunEnums(run) };
  const count = progress === undefined ? toCount({ bytes, files }) : toProgress(progress);
  const shown = toRun({ ...facts, progress: count });
  shown.scheduleUuid = scheduleUuid;
  shown.revision = BigInt(revision);
  if (startedAtMs !== undefined) shown.startTime = timestampFromMs(startedAtMs);
  return shown;
}

export function toProgress({
  bytesDone,
  bytesTotal,
  phase,
  filesTotal = 0,
  bytesPerSecond = 0,
}: JobProgress): MessageInitShape<typeof ProgressSchema> {
  const leftMs = bytesPerSecond > 0 ? Math.round(((bytesTotal - bytesDone) * 1000) / bytesPerSecond) : undefined;
  return {
    bytesDone: BigInt(bytesDone),
    bytesTotal: BigInt(bytesTotal),
    filesTotal: BigInt(filesTotal),
    phase,
    bytesPerSecond,
    ...(leftMs !== undefined && { eta: durationFromMs(leftMs) }),
  };
}

/** Returns the progress of a finished job, with all bytes and files done. */
export function toCount({ bytes, files }: { readonly bytes: number; readonly files: number }) {
  const [bytesDone, filesDone] = [BigInt(bytes), BigInt(files)];
  return { bytesDone, bytesTotal: bytesDone, filesDone, filesTotal: filesDone };
}

export function toWarning({
  reason,
  path,
  displayPath,
  message,
}: StoredWarning): MessageInitShape<typeof WarningSchema> {
  return { reason, path: Buffer.from(path, "base64"), displayPath, message };
}
