import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

/** What something took. CPU time is that of all processes that worked for it. */
export interface Cost {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
}

/** Runs commands of a shell to their end. */
export async function measureShell(
  script: string,
  { folder, env = {} }: { readonly folder: string; readonly env?: Readonly<Record<string, string>> },
): Promise<Cost> {
  const timed = `set -o pipefail; TIMEFORMAT='%R %U %S'; time { ${script}; }`;
  const child = spawn("bash", ["-c", timed], {
    cwd: folder,
    env: { ...process.env, LC_ALL: "C.UTF-8", ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let err = "";
  child.stderr.on("data", (chunk) => {
    err += String(chunk);
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  const lines = err.trim().split("\n");
  if (code !== 0) throw new Error(`${script} ended with ${code}: ${lines.slice(-4, -1).join("; ")}`);
  const [wall = Number.NaN, user = Number.NaN, system = Number.NaN] = (lines.at(-1) ?? "").split(" ").map(Number);
  return { wallSeconds: wall, cpuSeconds: user + system };
}

/** What something took that a daemon did. */
export interface DaemonCost extends Cost {
  /** CPU time without the client's. */
  readonly daemonSeconds: number;
}

/** Measures work for which this process and a daemon, with the programs that it starts, share the effort. */
export async function measureDaemon(pid: number, work: () => Promise<void>): Promise<DaemonCost> {
  const before = { own: process.cpuUsage(), daemon: cpuSecondsOf(pid), ms: performance.now() };
  await work();
  const { user, system } = process.cpuUsage(before.own);
  const daemonSeconds = cpuSecondsOf(pid) - before.daemon;
  const wallSeconds = (performance.now() - before.ms) / 1000;
  return { wallSeconds, cpuSeconds: (user + system) / 1e6 + daemonSeconds, daemonSeconds };
}

const ticksPerSecond = 100;

/** Of a process, and of its children that have ended. */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // utime, stime, cutime and cstime: fields 14 to 17 of proc(5), of which the first two are cut off here.
  return [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0) / ticksPerSecond;
}

/** The memory of a process in bytes, now and at most. */
export function memoryOf(pid: number): { readonly rssBytes: number; readonly peakBytes: number } {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  const bytesOf = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]) * 1024;
  return { rssBytes: bytesOf("VmRSS"), peakBytes: bytesOf("VmHWM") };
}
