import { readFileSync } from "node:fs";

/** Information about the processes of this machine. */
export interface ProcessTable {
  /** Returns the parent's process ID; undefined if it is unknown or the process does not exist. */
  parentOf(pid: number): number | undefined;
  /** Whether npm or another package manager started the process or one of its ancestors. */
  isStartedByNpm(pid: number): boolean;
}

/** Polling interval, in milliseconds. A poll takes some microseconds. */
const pollMs = 500;

/** Limit on ancestors. */
const maxAncestors = 32;

/**
 * Calls back once when npm started this program and has ended. npm forwards SIGTERM to the shell of its script, but that shell ends without forwarding
 * it, and after SIGKILL npm forwards nothing: without this, the program would continue without a parent.
 *
 * On Linux it watches every process from this one up to npm. Elsewhere it watches only the parent, which is the shell, so a killed npm is not noticed.
 * Programs that npm did not start may outlive their parents, as after `nohup`. A process with an IPC channel is managed by its parent. Returns a
 * function that ends the watch; the watch does not keep the process alive.
 */
export function onNpmEnd(listener: () => void): () => void {
  // On Windows the parent's ID does not change when the parent ends.
  if (process.platform === "win32" || process.send !== undefined || process.env[startedVariable] === undefined)
    return () => {};
  const ancestors = ancestorsUpToNpm(process.ppid, systemTable);
  const timer = setInterval(() => {
    if (process.ppid === ancestors[0] && areParents(ancestors, systemTable)) return;
    clearInterval(timer);
    listener();
  }, pollMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** Returns the ancestors up to the first one that npm did not start: npm itself, or a process with npm's environment. */
export function ancestorsUpToNpm(parent: number, table: ProcessTable): number[] {
  const ancestors = [parent];
  for (let current = parent; table.isStartedByNpm(current) && ancestors.length < maxAncestors; ) {
    const next = table.parentOf(current);
    // The parent of process 1 is 0.
    if (next === undefined || next === 0) break;
    ancestors.push(next);
    current = next;
  }
  return ancestors;
}

/** Whether each process is still the parent of the previous one: when a process ends, its children get another parent. */
export function areParents(ancestors: readonly number[], table: ProcessTable): boolean {
  return ancestors.every((pid, at) => {
    const next = ancestors[at + 1];
    return next === undefined || table.parentOf(pid) === next;
  });
}

/** Variable that npm, pnpm, yarn and bun set for scripts, which children inherit. */
const startedVariable = "npm_lifecycle_event";

/** Reads proc(5); returns nothing without /proc. */
const systemTable: ProcessTable = {
  parentOf(pid) {
    try {
      // "pid (name) state ppid …"; the name may contain any characters, including parentheses.
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 1).split(" ")[2]);
      return Number.isInteger(parent) ? parent : undefined;
    } catch {
      return undefined;
    }
  },
  isStartedByNpm(pid) {
    try {
      return `\0${readFileSync(`/proc/${pid}/environ`, "latin1")}`.includes(`\0${startedVariable}=`);
    } catch {
      return false;
    }
  },
};
