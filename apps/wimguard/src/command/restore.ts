import { Buffer } from "node:buffer";
import { basename } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import type { WimGuard } from "../client/connect.ts";
import { Conflict, type RestorePlan } from "../gen/wimguard/v1/restore_pb.ts";
import { formatBytes, formatCount, formatSeconds, formatTable } from "../terminal/format.ts";
import type { CommonOptions, Console } from "./console.ts";
import { type ExitCode, exitCodes, UsageError } from "./exit-codes.ts";
import { interruptible } from "./interruptible.ts";
import { withDaemon } from "./with-daemon.ts";
import { toAbsolute } from "./working-folder.ts";

export interface RestoreOptions extends CommonOptions {
  readonly target: string;
  readonly plan?: true;
  readonly verify?: true;
  readonly skipOwner?: true;
  readonly conflict: string;
  readonly deleteExtra?: true;
}

const conflictOf: Readonly<Record<string, Conflict>> = {
  fail: Conflict.FAIL,
  skip: Conflict.SKIP,
  "if-changed": Conflict.IF_CHANGED,
  overwrite: Conflict.OVERWRITE,
};

/** `wimguard restore`: restores a backup, or some of its paths, into a folder. */
export async function restore(
  uuid: string,
  paths: readonly string[],
  options: RestoreOptions,
  output: Console,
): Promise<ExitCode> {
  const conflict = Object.hasOwn(conflictOf, options.conflict) ? conflictOf[options.conflict] : undefined;
  if (conflict === undefined) {
    const known = Object.keys(conflictOf).join(", ");
    throw new UsageError(`invalid --conflict ${JSON.stringify(options.conflict)}: use ${known}`);
  }
  const request = {
    snapshotUuid: uuid,
    paths: paths.map((path) => Buffer.from(path)),
    target: toAbsolute(options.target),
    conflict,
    deleteExtra: options.deleteExtra === true,
    verify: options.verify === true,
    skipOwner: options.skipOwner === true,
  };
  return withDaemon(options, async (wim) => {
    if (options.plan === true) return showPlan(wim, request, output);
    if (conflict !== Conflict.FAIL) await confirmLosses(wim, request, output);
    const startedMs = performance.now();
    const end = await interruptible(
      (signal) => restoreToEnd(wim, request, output, signal),
      () => output.cancelling(),
    );
    const seconds = (performance.now() - startedMs) / 1000;
    if (end.warnings !== "") output.warning(end.warnings);
    const rows = [
      ["uuid", end.uuid],
      ["restored", `${formatBytes(end.bytes)} into ${request.target}`],
      ...(request.verify ? [["verified", formatCount(end.verifiedFiles, "file")]] : []),
      ["time", formatSeconds(seconds)],
    ];
    const title = end.warnings === "" ? "restore completed" : "restore completed with warnings";
    output.result(`${title}\n${formatTable(rows.map((row) => ["", ...row]))}`, {
      ...end,
      target: request.target,
      seconds,
    });
    return end.warnings === "" ? exitCodes.ok : exitCodes.warnings;
  });
}

type Request = Parameters<WimGuard["restore"]["createRestore"]>[0];

async function restoreToEnd(wim: WimGuard, request: Request, output: Console, signal: AbortSignal) {
  for await (const { uuid, status, progress, message, verifiedFiles } of wim.restore.createRestore(request, {
    signal,
  })) {
    const bytesDone = Number(progress?.bytesDone ?? 0);
    if (status === "completed")
      return { uuid, bytes: bytesDone, warnings: message, verifiedFiles: Number(verifiedFiles) };
    if (status !== "in_progress" || progress === undefined) continue;
    output.progress({ uuid, bytesDone, bytesTotal: Number(progress.bytesTotal), phase: progress.phase });
  }
  throw new ConnectError("the stream ended before the restore did", Code.Internal);
}

async function showPlan(wim: WimGuard, request: Request, output: Console): Promise<ExitCode> {
  const plan = toNumbers(await wim.restore.planRestore(request));
  output.result(`would ${describePlan(plan)}; ${formatBytes(plan.freeBytes)} are free`, plan);
  return exitCodes.ok;
}

/** Asks for confirmation before paths in the target are replaced or deleted. */
async function confirmLosses(wim: WimGuard, request: Request, output: Console): Promise<void> {
  const plan = toNumbers(await wim.restore.planRestore(request));
  if (plan.overwrite === 0 && plan.delete === 0) return;
  output.note(`in ${request.target}: will ${describePlan(plan)}`);
  const name = basename(request.target ?? "");
  await output.confirm(`type the name of the folder, ${name}, to continue: `, name, "nothing was restored");
}

function toNumbers(plan: RestorePlan) {
  return {
    create: Number(plan.create),
    overwrite: Number(plan.overwrite),
    delete: Number(plan.delete),
    unchanged: Number(plan.unchanged),
    bytes: Number(plan.bytes),
    freeBytes: Number(plan.freeBytes),
  };
}

function describePlan({ create, overwrite, delete: deleted, unchanged, bytes }: ReturnType<typeof toNumbers>): string {
  const rest = [
    ...(overwrite > 0 ? [`replace ${overwrite}`] : []),
    ...(deleted > 0 ? [`delete ${deleted}`] : []),
    ...(unchanged > 0 ? [`keep ${unchanged} unchanged`] : []),
  ];
  const entries = create === 1 ? "1 entry" : `${create} entries`;
  return [`create ${entries} with ${formatBytes(bytes)}`, ...rest].join(", ");
}
