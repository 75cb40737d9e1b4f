// Finds what a run of the tests left on the machine: processes, temporary files, files in the repository.
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { killProcess, markedProcesses } from "./marked-processes.ts";

/** Processes whose parents have just ended may need some time to end. */
const endingMs = 2000;

/** Describes the processes that have the run's marker, then ends them. */
export async function leftProcesses(marker: string): Promise<string[]> {
  const deadline = Date.now() + endingMs;
  let left = markedProcesses(marker);
  while (left.length > 0 && Date.now() < deadline) {
    await sleep(50);
    left = markedProcesses(marker);
  }
  for (const { pid } of left) killProcess(pid);
  return left.map(({ pid, args }) => `process ${pid}: ${args.join(" ")}`);
}

/** Describes the content of the temporary folder of the tests. */
export function leftFiles(tempFolder: string): string[] {
  // Node's compile cache stays.
  const names = readdirSync(tempFolder).filter((name) => name !== "node-compile-cache");
  return names.map((name) => `temporary file ${join(tempFolder, name)}`);
}

/** Returns files in the repository that git neither tracks nor ignores; none outside of a repository. */
export function untrackedFiles(root: string): string[] {
  try {
    const output = execFileSync("git", ["ls-files", "--others", "--exclude-standard", "-z"], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return output.split("\0").filter((file) => file !== "");
  } catch {
    return [];
  }
}
