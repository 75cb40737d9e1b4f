import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type WimGuard } from "../../../apps/wimguard/src/client/connect.ts";
import { createSuiteContext } from "../../../apps/wimguard/test/daemon/cleanup.ts";
import { startDaemon, type TestDaemon } from "../../../apps/wimguard/test/daemon/daemon-process.ts";
import { mebibytes, slope } from "../memory.ts";
import { buildForProof } from "./built-program.ts";

const defaultSeconds = 2 * 60 * 60;
const backupEveryMs = 5_000;
const reportEveryMs = 60_000;
const watchers = 100;
const keptBackups = 20;
const files = 200;
/** Of the first part nothing is concluded: code is compiled, and caches fill. */
const warmUpPart = 0.25;
/** What a process may grow by in an hour after that, and still count as flat: allocators keep what they have had. */
const maxGrowthBytesPerHour = 16 * 2 ** 20;
const maxGrowthOfHandles = 8;

interface Sample {
  readonly hours: number;
  readonly rssBytes: number;
  readonly handles: number;
  readonly threads: number;
}

/**
 * A daemon that makes a backup every five seconds, deletes old ones, restores now and then, and is watched by a hundred clients of which some do
 * not read. Its memory and its file descriptors have to stay flat, and everything has to be completed.
 */
export async function steady(seconds = defaultSeconds): Promise<boolean> {
  const context = createSuiteContext();
  const built = buildForProof();
  context.after(() => built.remove());
  try {
    return await run(await startDaemon(context, built.start), context, seconds);
  } finally {
    await context.clean();
  }
}

async function run(
  daemon: TestDaemon,
  context: ReturnType<typeof createSuiteContext>,
  seconds: number,
): Promise<boolean> {
  const { source, destinations, data } = daemon.folders;
  for (let at = 0; at < files; at++) writeFileSync(join(source, `f${at}`), randomBytes(20_000));
  const stop = new AbortController();
  const watching = await startWatchers(daemon, context, stop.signal);
  const kept: string[] = [];
  const problems: string[] = [];
  const samples: Sample[] = [];
  let [completed, restored, leftOut, slowestMs, reportedMs] = [0, 0, 0, 0, 0];
  const startedMs = performance.now();
  const elapsedMs = (): number => performance.now() - startedMs;
  const attempt = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      problems.push(`${what}: ${String(error)}`);
      console.error(`${Math.round(elapsedMs() / 1000)} s: ${what}:`, error);
    }
  };
  for (let slot = 0; elapsedMs() < seconds * 1000; slot++) {
    writeFileSync(join(source, `f${slot % files}`), randomBytes(20_000));
    const destination = join(destinations, `${slot}${slot % 4 === 3 ? ".wim" : ".tar.zst"}`);
    const begunMs = performance.now();
    await attempt(`backup ${slot}`, async () => {
      kept.push((await daemon.client.backupToEnd({ source, destination })).uuid);
      completed++;
    });
    slowestMs = Math.max(slowestMs, performance.now() - begunMs);
    if (slot % 12 === 11)
      await attempt(`restore ${slot}`, () => restoreNewest(daemon, kept).then(() => void restored++));
    const oldest = kept.length > keptBackups ? kept.shift() : undefined;
    if (oldest !== undefined)
      await attempt(`delete ${oldest}`, async () => void (await daemon.client.backup.deleteBackup({ uuid: oldest })));
    samples.push({ hours: elapsedMs() / 3_600_000, ...sampleProcess(daemon.pid) });
    if (elapsedMs() - reportedMs >= reportEveryMs) {
      reportedMs = elapsedMs();
      const { rssBytes, handles, threads } = samples.at(-1) as Sample;
      const process = `${mebibytes(rssBytes)}, ${handles} descriptors, ${threads} threads`;
      console.log(
        `${Math.round(reportedMs / 60_000)} min: ${completed} backups, ${problems.length} failed, ${process}`,
      );
    }
    const nextMs = (slot + 1) * backupEveryMs;
    if (elapsedMs() > nextMs + backupEveryMs) {
      const missed = Math.floor((elapsedMs() - nextMs) / backupEveryMs);
      leftOut += missed;
      slot += missed;
    }
    await sleep(Math.max(0, (slot + 1) * backupEveryMs - elapsedMs()));
  }
  stop.abort();
  await watching.ended;
  const left = readdirSync(destinations).filter((name) => name.startsWith("."));
  const drafts = readdirSync(join(data, "manifests")).filter((name) => name.startsWith("."));
  const growth = growthOf(samples);
  const isFlat = growth.bytesPerHour <= maxGrowthBytesPerHour && growth.handles <= maxGrowthOfHandles;
  console.log(
    `steady: ${completed} backups and ${restored} restores in ${Math.round(elapsedMs() / 1000)} s, ${problems.length} failed, ` +
      `${leftOut} left out because the machine was too busy, slowest backup ${Math.round(slowestMs)} ms; ` +
      `${watchers} watchers got ${watching.received()} messages; memory ${describe(growth)}`,
  );
  if (!isFlat) console.log("steady: it did not stay flat");
  return problems.length === 0 && isFlat && left.length === 0 && drafts.length === 0 && completed > 0;
}

async function restoreNewest({ client, folders }: TestDaemon, kept: readonly string[]): Promise<void> {
  const target = join(folders.data, "restored");
  for await (const _ of client.restore.createRestore({ snapshotUuid: kept.at(-1) ?? "", target, verify: true }));
  rmSync(target, { recursive: true });
}

/** Half of them watch runs, the others the statistics; one of each does not read. */
async function startWatchers(
  daemon: TestDaemon,
  context: ReturnType<typeof createSuiteContext>,
  signal: AbortSignal,
): Promise<{ readonly ended: Promise<unknown>; received(): number }> {
  const clients: WimGuard[] = [];
  for (let at = 0; at < 4; at++) {
    const client = await connect(daemon.address, { folder: daemon.folders.data });
    context.after(() => client.close());
    clients.push(client);
  }
  let received = 0;
  const watch = async (at: number): Promise<void> => {
    const { schedule, statistics } = clients[at % clients.length] as WimGuard;
    const messages = at % 2 === 0 ? schedule.watchRuns({}, { signal }) : statistics.watchStatistics({}, { signal });
    const isStalled = at < 2;
    try {
      for await (const _ of messages) {
        received++;
        if (isStalled) await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  };
  const ended = Promise.all(Array.from({ length: watchers }, (_, at) => watch(at)));
  ended.catch((error) => console.error("a watcher ended:", error));
  return { ended, received: () => received };
}

function sampleProcess(pid: number): Omit<Sample, "hours"> {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  const number = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]);
  return {
    rssBytes: number("VmRSS") * 1024,
    handles: readdirSync(`/proc/${pid}/fd`).length,
    threads: number("Threads"),
  };
}

interface Growth {
  readonly fromBytes: number;
  readonly toBytes: number;
  readonly bytesPerHour: number;
  readonly handles: number;
}

function growthOf(samples: readonly Sample[]): Growth {
  const counted = samples.slice(Math.floor(samples.length * warmUpPart));
  const third = Math.max(1, Math.floor(counted.length / 3));
  const [first, last] = [counted.slice(0, third), counted.slice(-third)];
  const middle = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
  const points = counted.map(({ hours, rssBytes }) => ({ x: hours, y: rssBytes }));
  return {
    fromBytes: middle(first.map(({ rssBytes }) => rssBytes)),
    toBytes: middle(last.map(({ rssBytes }) => rssBytes)),
    bytesPerHour: slope(points),
    handles: middle(last.map(({ handles }) => handles)) - middle(first.map(({ handles }) => handles)),
  };
}

function describe({ fromBytes, toBytes, bytesPerHour, handles }: Growth): string {
  const trend = `${mebibytes(fromBytes)} to ${mebibytes(toBytes)} (${mebibytes(bytesPerHour)} an hour)`;
  return `${trend}, descriptors ${handles >= 0 ? "+" : ""}${handles}`;
}
