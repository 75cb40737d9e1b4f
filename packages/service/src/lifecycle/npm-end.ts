import { readFileSync } from "node:fs";

/** What is known of the processes of this machine. */
export interface ProcessTable {
  /** The process id of the parent; undefined when that cannot be known, or when there is no such process. */
  parentOf(pid: number): number | undefined;
  /** Whether npm, or a package manager that does as npm does, has started the process or one that it descends from. */
  isStartedByNpm(pid: number): boolean;
}

/** How long a program outlives npm. A look costs some microseconds. */
const pollMs = 500;

/** No process has so many ancestors. */
const maxAncestors = 32;

/**
 * Calls back once when npm has started this program and has ended. npm passes SIGTERM on to the shell that it runs a script in, but that
 * shell ends without passing it on, and after SIGKILL npm passes nothing on: without this, the program would go on without anyone
 * to stop it.
 *
 * On Linux every process from this one up to npm is watched. Elsewhere the parent is, which is the shell: npm that was killed is not noticed.
 * Programs that npm did not start may outlive their parents, as after `nohup`. A process with an IPC channel is looked after by its
 * parent. The function that is returned ends the watch; the watch does not hold the process.
 */
export function onNpmEnd(listener: () => void): () => void {
  // On Windows the parent's id stays the same when the parent has ended.
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

/** The parent, its parent and so on, up to the first that npm has not started: that is npm itself, or what started this with npm's environment. */
export function ancestorsUpToNpm(parent: number, table: ProcessTable): number[] {
  const ancestors = [parent];
  for (let current = parent; table.isStartedByNpm(current) && ancestors.length < maxAncestors; ) {
    const next = table.parentOf(current);
    // Process 1 has the parent 0.
    if (next === undefined || next === 0) break;
    ancestors.push(next);
    current = next;
  }
  return ancestors;
}

/** Whether each is still the parent of the one before: a process that has ended leaves its children to another. */
export function areParents(ancestors: readonly number[], table: ProcessTable): boolean {
  return ancestors.every((pid, at) => {
    const next = ancestors[at + 1];
    return next === undefined || table.parentOf(pid) === next;
  });
}

/** npm, pnpm, yarn and bun set it for the scripts that they run, and whatever these start inherits it. */
const startedVariable = "npm_lifecycle_event";

/** proc(5). Where there is no /proc, nothing is known. */
const systemTable: ProcessTable = {
  parentOf(pid) {
    try {
      // "pid (name) state ppid …"; the name may hold anything, parentheses included.
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
