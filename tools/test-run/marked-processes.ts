// Finds the processes of one run of the tests by a mark in their environment. Only Linux shows the environment of a
// process without further tools; elsewhere nothing is found.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Set to a value of its own for each run and inherited by every process that a test starts. */
export const markerVariable = "TERCEL_TEST_RUN";

export interface MarkedProcess {
  readonly pid: number;
  readonly args: readonly string[];
}

/** The running processes that carry the marker, this one left out. */
export function markedProcesses(marker: string): MarkedProcess[] {
  if (process.platform !== "linux") return [];
  const entry = `${markerVariable}=${marker}`;
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && readList(pid, "environ").includes(entry) && isRunning(pid))
    .map((pid) => ({ pid, args: readList(pid, "cmdline") }));
}

/** Ends a process that may have ended by itself since it was found. */
export function killProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Empty when the process is gone or belongs to another user. */
function readList(pid: number, name: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8")
      .split("\0")
      .filter((item) => item !== "");
  } catch {
    return [];
  }
}

/** A process that has ended but was not yet collected by its parent does not have a program any more. */
function isRunning(pid: number): boolean {
  try {
    readlinkSync(`/proc/${pid}/exe`);
    return true;
  } catch {
    return false;
  }
}
