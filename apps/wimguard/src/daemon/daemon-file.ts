import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DurableFiles } from "../files/durable-files.ts";
import { replaceFile } from "../files/replace-file.ts";

/** Names the running daemon, for whoever finds the catalogue locked. It is no lock itself. */
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

/** Says in words who has the folder in use. */
export function describeDaemon(folder: string): string {
  try {
    const { pid, address } = JSON.parse(readFileSync(daemonFilePath(folder), "utf8")) as {
      pid: number;
      address: string;
    };
    return `the daemon with process id ${pid} at ${address} runs already: use it, or stop it first`;
  } catch {
    return "another daemon runs already, or is just starting: use it, or stop it first";
  }
}
