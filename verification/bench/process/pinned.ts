import { execFileSync } from "node:child_process";

/** The process that is measured has a core of its own; whatever makes or answers its load has the other one. */
export const MEASURED_CORE = 0;
export const LOAD_CORE = 1;

/** The command line that runs `command` on one core only. taskset becomes the program itself, so the pid is the program's. */
export function pinned(core: number, command: readonly string[]): readonly [string, ...string[]] {
  return ["taskset", "--cpu-list", String(core), ...command];
}

/** Moves this process, all of its threads, to one core. */
export function pinSelf(core: number): void {
  execFileSync("taskset", ["--all-tasks", "--pid", "--cpu-list", String(core), String(process.pid)], {
    stdio: "ignore",
  });
}
