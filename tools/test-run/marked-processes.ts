// Finds the processes of one run of the tests by a marker in their environment. Only Linux shows the environment of a
// process without further tools. On other systems it finds nothing.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Has a different value for each run. Every process that a test starts inherits it. */
export const markerVariable = "TERCEL_TEST_RUN";

export interface MarkedProcess {
  readonly pid: number;
  readonly args: readonly string[];
}

/** Returns the running processes with the marker, without this one. */
export function markedProcesses(marker: string): MarkedProcess[] {
  if (process.platform !== "linux") return [];
  const entry = `${markerVariable}=${marker}`;
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && readList(pid, "environ").includes(entry) && isRunning(pid))
    .map((pid) => ({ pid, args: readList(pid, "cmdline") }));
}

/** Ends a process, which may have ended in the meantime. */
export function killProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Returns an empty list if the process has ended or belongs to another user. */
function readList(pid: number, name: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8")
      .split("\0")
      .filter((item) => item !== "");
  } catch {
    return [];
  }
}

/** A zombie, which its parent has not waited for yet, has no program. */
function isRunning(pid: number): boolean {
  try {
    readlinkSync(`/proc/${pid}/exe`);
    return true;
  } catch {
    return false;
  }
}
