import { existsSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { hasErrorCode } from "../../../failure/to-failure.ts";

/** restic removes its lock after SIGINT; then SIGKILL. */
const killAfterMs = 5_000;
const pollMs = 50;

/**
 * Ends programs that a daemon has started which was killed: they go on without it, and would store what no one knows of.
 *
 * @param argument of their command lines, which no other program has
 */
export async function endOrphans(argument: string): Promise<void> {
  const found = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && argumentsOf(name).includes(argument))
    .map(Number);
  for (const pid of found) send(pid, "SIGINT");
  for (let waitedMs = 0; found.some(isRunning); waitedMs += pollMs) {
    if (waitedMs >= killAfterMs) for (const pid of found) send(pid, "SIGKILL");
    await sleep(pollMs);
  }
}

/** Empty for a process that is gone, and for one that has ended and was not waited for. */
function argumentsOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}

function isRunning(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && argumentsOf(String(pid)).length > 1;
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!hasErrorCode(error, "ESRCH")) throw error;
  }
}
