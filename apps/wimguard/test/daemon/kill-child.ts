import { readdirSync, readFileSync } from "node:fs";

/** Kills a child of a process that has one of these names; false while it has none. */
export function killChildOf(parent: number, names: readonly string[]): boolean {
  for (const entry of readdirSync("/proc").filter((one) => /^\d+$/.test(one))) {
    try {
      const [, command = "", ppid] = /^\d+ \((.+)\) \S (\d+)/.exec(readFileSync(`/proc/${entry}/stat`, "latin1")) ?? [];
      if (Number(ppid) !== parent || !names.includes(command)) continue;
      process.kill(Number(entry), "SIGKILL");
      return true;
    } catch {
      // It has ended meanwhile.
    }
  }
  return false;
}

/** Names of the programs that a process has started and that have not ended. */
export function childrenOf(parent: number): string[] {
  return readdirSync("/proc")
    .filter((one) => /^\d+$/.test(one))
    .flatMap((entry) => {
      try {
        const stat = readFileSync(`/proc/${entry}/stat`, "latin1");
        const [, command = "", state, ppid] = /^\d+ \((.+)\) (\S) (\d+)/.exec(stat) ?? [];
        return Number(ppid) === parent && state !== "Z" ? [command] : [];
      } catch {
        return [];
      }
    });
}
