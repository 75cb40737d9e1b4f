import { readFileSync } from "node:fs";

/** /proc counts CPU time in ticks of USER_HZ, which is 100 for user space on every Linux that Node runs on. */
const MICROS_PER_TICK = 10_000;

/** Returns the user and system CPU time of all threads of a process, in microseconds, in steps of 10 ms. */
export function readCpuMicros(pid: number): number {
  return parseCpuMicros(readFileSync(`/proc/${pid}/stat`, "utf8"));
}

/** Returns the resident memory of a process, in bytes. */
export function readResidentBytes(pid: number): number {
  // smaps_rollup counts the pages. The counters in stat and statm are late by some pages per core.
  return parseResidentBytes(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"));
}

/** utime and stime, the 14th and 15th field of /proc/<pid>/stat; see proc_pid_stat(5). */
export function parseCpuMicros(stat: string): number {
  // The second field is the program's name in parentheses, which may contain spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  if (!Number.isInteger(ticks)) throw new Error(`no CPU time in "${stat.trim()}"`);
  return ticks * MICROS_PER_TICK;
}

/** The Rss line of /proc/<pid>/smaps_rollup, which counts in KiB. */
export function parseResidentBytes(rollup: string): number {
  const kibibytes = /^Rss:\s+(\d+) kB$/m.exec(rollup)?.[1];
  if (kibibytes === undefined) throw new Error("no Rss in smaps_rollup");
  return Number(kibibytes) * 1024;
}
