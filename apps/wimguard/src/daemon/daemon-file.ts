import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DurableFiles } from "../files/durable-files.ts";
import { replaceFile } from "../files/replace-file.ts";

/** Returns the path of the file that describes the running daemon, for the error of a locked catalogue. It is not a lock itself. */
function daemonFilePath(folder: string): string {
  return join(folder, "daemon.json");
}

export async function writeDaemonFile(files: DurableFiles, folder: string, address: string): Promise<void> {
  const content = { pid: process.pid, address, startTime: new Date().toISOString() };
  await replaceFile(files, daemonFilePath(folder), `${JSON.stringify(content)}\n`);
}

export async function removeDaemonFile(files: DurableFiles, folder: string): Promise<void> {
  await files.unlink(daemonFilePath(folder));
}

/** Describes the daemon that uses the folder. */
export function describeDaemon(folder: string): string {
  try {
    const { pid, address } = JSON.parse(readFileSync(daemonFilePath(folder), "utf8")) as {
      pid: number;
      address: string;
    };
    return `a daemon is already running at ${address} (process id ${pid}): use it, or stop it first`;
  } catch {
    return "another daemon is already running or starting: use it, or stop it first";
  }
}
