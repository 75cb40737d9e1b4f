import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "../../../apps/wimguard/src/client/connect.ts";
import { createSuiteContext } from "../../../apps/wimguard/test/daemon/cleanup.ts";
import { type DaemonStart, startDaemon, type TestDaemon } from "../../../apps/wimguard/test/daemon/daemon-process.ts";
import { median, percentile } from "../measure/statistics.ts";
import { type DaemonCost, measureDaemon, memoryOf } from "./measure.ts";
import { writeTree } from "./tree.ts";

const size = { files: 4_000, bytes: 200e6 };
const maxIdleBytes = 90e6;
const maxCallMs = 20;
const maxWatchersPart = 1.02;
const watchers = 100;
const idleAfterMs = 10_000;
const callEveryMs = 5;

/**
 * What the daemon itself costs, as users have it: its memory without a job, calls during a backup, and watchers of which one does not read. It has been
 * started before, so that what Node keeps of a start is there.
 */
export async function measureDaemonCases(
  root: string,
  rounds: number,
  start: DaemonStart,
): Promise<{ text: string; isMet: boolean }> {
  const folders = {
    source: join(root, "daemon-source"),
    data: join(root, "data"),
    destinations: join(root, "archives"),
  };
  for (const folder of Object.values(folders)) mkdirSync(folder);
  writeTree(folders.source, size);
  const context = createSuiteContext();
  try {
    const first = await startDaemon(context, { ...start, folders });
    first.signal("SIGTERM");
    await first.ended;
    const daemon = await startDaemon(context, { ...start, folders });
    await sleep(idleAfterMs);
    const { rssBytes } = memoryOf(daemon.pid);
    const callMs: number[] = [];
    const [alone, watched]: [DaemonCost[], DaemonCost[]] = [[], []];
    await backUp(daemon);
    for (let round = 0; round < rounds; round++) {
      alone.push(await backUp(daemon));
      watched.push(await whileWatched(daemon, () => backUp(daemon)));
      callMs.push(...(await callsDuringBackup(daemon)));
    }
    const p99 = percentile(callMs, 99);
    const partOf = (key: "daemonSeconds" | "wallSeconds"): number =>
      median(watched.map((cost, at) => cost[key] / (alone[at]?.[key] ?? Number.NaN)));
    const [byCpu, byWall] = [partOf("daemonSeconds"), partOf("wallSeconds")];
    const goals = [
      {
        text: `idle at most ${maxIdleBytes / 1e6} MB: ${(rssBytes / 1e6).toFixed(0)} MB`,
        isMet: rssBytes <= maxIdleBytes,
      },
      {
        text: `GetBackup's p99 during a backup below ${maxCallMs} ms: ${p99.toFixed(1)} ms of ${callMs.length} calls`,
        isMet: p99 < maxCallMs,
      },
      {
        text: `${watchers} watchers, one stalled, cost a backup at most 2 %: ${percent(byWall)} by the clock, ${percent(byCpu)} of the daemon's CPU time`,
        isMet: byWall <= maxWatchersPart,
      },
    ];
    const lines = goals.map(({ text, isMet }) => `${isMet ? "met   " : "MISSED"} daemon: ${text}`);
    return { text: `${lines.join("\n")}\n`, isMet: goals.every(({ isMet }) => isMet) };
  } finally {
    await context.clean();
    for (const folder of Object.values(folders)) rmSync(folder, { recursive: true, force: true });
  }
}

function percent(part: number): string {
  return `${part >= 1 ? "+" : ""}${((part - 1) * 100).toFixed(1)} %`;
}

/** A whole one: what an earlier one has written is deleted. */
async function backUp({ client, folders, pid }: TestDaemon, onEnd: () => void = () => {}): Promise<DaemonCost> {
  let uuid = "";
  const request = { source: folders.source, destination: join(folders.destinations, "a.tar.zst") };
  const cost = await measureDaemon(pid, async () => {
    uuid = (await client.backupToEnd(request)).uuid;
  });
  onEnd();
  await client.backup.deleteBackup({ uuid });
  return cost;
}

/** Watches by another connection of this process, whose own time does not count. */
async function whileWatched(daemon: TestDaemon, work: () => Promise<DaemonCost>): Promise<DaemonCost> {
  const stop = new AbortController();
  const watcher = await connect(daemon.address, { folder: daemon.folders.data });
  const ended = Array.from({ length: watchers }, async (_, at) => {
    const { schedule, statistics } = watcher;
    const options = { signal: stop.signal };
    const messages = at % 2 === 0 ? schedule.watchRuns({}, options) : statistics.watchStatistics({}, options);
    try {
      for await (const _message of messages) {
        if (at > 0) continue;
        await new Promise<void>((resolve) => stop.signal.addEventListener("abort", () => resolve()));
      }
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    }
  });
  try {
    return await work();
  } finally {
    stop.abort();
    await Promise.allSettled(ended);
    await watcher.close();
  }
}

async function callsDuringBackup(daemon: TestDaemon): Promise<number[]> {
  const took: number[] = [];
  let isRunning = true;
  const running = backUp(daemon, () => {
    isRunning = false;
  });
  let uuid = "";
  while (isRunning) {
    const beganMs = performance.now();
    // Until its record is there, the list is what is asked for.
    if (uuid === "") uuid = (await daemon.client.backup.listBackups({ limit: 1 })).backups[0]?.uuid ?? "";
    else await daemon.client.backup.getBackup({ uuid });
    took.push(performance.now() - beganMs);
    await sleep(callEveryMs);
  }
  await running;
  return took;
}
