import { execFileSync } from "node:child_process";

/** The core of the measured process. The load generator, or the server of a measured client, has the other one. */
export const MEASURED_CORE = 0;
export const LOAD_CORE = 1;

/** Returns the command line that runs `command` on one core. taskset replaces itself with the program, so the pid is the program's. */
export function pinned(core: number, command: readonly string[]): readonly [string, ...string[]] {
  return ["taskset", "--cpu-list", String(core), ...command];
}

/** Pins this process with all its threads to one core. */
export function pinSelf(core: number): void {
  execFileSync("taskset", ["--all-tasks", "--pid", "--cpu-list", String(core), String(process.pid)], {
    stdio: "ignore",
  });
}
