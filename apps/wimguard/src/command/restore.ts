import { Buffer } from "node:buffer";
import { Code, ConnectError } from "@connectrpc/connect";
import type { WimGuard } from "../client/connect.ts";
import { Conflict } from "../gen/wimguard/v1/restore_pb.ts";
import { formatBytes, formatSeconds, formatTable } from "../terminal/format.ts";
import type { CommonOptions, Console } from "./console.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { interruptible } from "./interruptible.ts";
import { withDaemon } from "./with-daemon.ts";
import { toAbsolute } from "./working-folder.ts";

export interface RestoreOptions extends CommonOptions {
  readonly target: string;
  readonly plan?: true;
  readonly verify?: true;
  readonly skipOwner?: true;
}

/** `wimguard restore`: restores a backup, or paths of it, into a new folder. */
export async function restore(
  uuid: string,
  paths: readonly string[],
  options: RestoreOptions,
  output: Console,
): Promise<ExitCode> {
  const request = {
    snapshotUuid: uuid,
    paths: paths.map((path) => Buffer.from(path)),
    target: toAbsolute(options.target),
    conflict: Conflict.FAIL,
    verify: options.verify === true,
    skipOwner: options.skipOwner === true,
  };
  return withDaemon(options, async (wim) => {
    if (options.plan === true) return showPlan(wim, request, output);
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
      ...(request.verify ? [["verified", `${end.verifiedFiles} files`]] : []),
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
  const plan = await wim.restore.planRestore(request);
  const [entries, bytes, freeBytes] = [Number(plan.create), Number(plan.bytes), Number(plan.freeBytes)];
  const text = `would create ${entries} entries with ${formatBytes(bytes)}; ${formatBytes(freeBytes)} are free`;
  output.result(text, { entries, bytes, freeBytes });
  return exitCodes.ok;
}
