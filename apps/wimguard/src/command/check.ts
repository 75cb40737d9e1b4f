import type { WimGuard } from "../client/connect.ts";
import { RunState } from "../gen/wimguard/v1/common_pb.ts";
import { formatBytes, formatCount, formatSeconds } from "../terminal/format.ts";
import type { CommonOptions, Console } from "./console.ts";
import { type ExitCode, exitCodes, UsageError } from "./exit-codes.ts";
import { runToEnd } from "./follow-run.ts";
import { interruptible } from "./interruptible.ts";
import { withDaemon } from "./with-daemon.ts";

export interface CheckOptions extends CommonOptions {
  readonly data?: string;
  readonly drill?: true;
}

/** `wimguard check`: verifies a snapshot, or restores a sample of it. */
export async function check(uuid: string | undefined, options: CheckOptions, output: Console): Promise<ExitCode> {
  if (options.drill === true && options.data !== undefined) {
    throw new UsageError("--drill and --data cannot be used together");
  }
  const percent = parsePercent(options.data ?? "100%");
  return withDaemon(options, async (wim) => {
    const startedMs = performance.now();
    const snapshotUuid = uuid ?? (options.drill === true ? "" : await newestOf(wim));
    const run = await interruptible(
      (signal) =>
        runToEnd(
          options.drill === true
            ? wim.snapshot.drillSnapshot({ snapshotUuid }, { signal })
            : wim.snapshot.verifySnapshot({ snapshotUuid, percent }, { signal }),
          output,
        ),
      () => output.cancelling(),
    );
    const seconds = (performance.now() - startedMs) / 1000;
    const [files, bytes] = [Number(run.progress?.filesDone ?? 0), Number(run.progress?.bytesDone ?? 0)];
    if (run.message !== "") output.warning(run.message);
    const proved =
      options.drill === true ? "proved restorable" : percent === 0 ? "structure is whole" : "is as it was backed up";
    // restic checks a part of the repository, which says nothing about this snapshot.
    const what = files === 0 && bytes === 0 ? "" : `, ${formatCount(files, "file")}, ${formatBytes(bytes)}`;
    // A drill without a uuid restores from two snapshots.
    const subject = snapshotUuid === "" ? "" : `snapshot ${snapshotUuid}: `;
    output.result(`${subject}${proved}${what}, ${formatSeconds(seconds)}`, {
      uuid: run.uuid,
      snapshotUuid,
      files,
      bytes,
      seconds,
    });
    return run.state === RunState.WARNED ? exitCodes.warnings : exitCodes.ok;
  });
}

async function newestOf(wim: WimGuard): Promise<string> {
  const { snapshots } = await wim.snapshot.listSnapshots({ pageSize: 1 });
  const [newest] = snapshots;
  if (newest === undefined) throw new UsageError("no snapshots to check: make a backup first");
  return newest.uuid;
}

function parsePercent(text: string): number {
  const percent = /^\d{1,3}(?:\.\d{1,3})?%?$/.test(text) ? Number.parseFloat(text) : Number.NaN;
  if (percent >= 0 && percent <= 100) return percent;
  throw new UsageError(`invalid --data ${JSON.stringify(text)}: use a percentage, such as 5%`);
}
