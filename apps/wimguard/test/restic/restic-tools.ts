import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { locationOf } from "../../src/engine/restic/repository/repository-location.ts";

/** Why tests with repositories are skipped, or false where they are not. */
export const withoutRestic: string | false = spawnSync("restic", ["version"]).status !== 0 && "restic is not installed";

export const password = "a password that no one else has";

/** Writes the password file of a repository and returns the reference to it. */
export function writeSecret(folder: string, text = password): string {
  const path = join(folder, "repository-password");
  writeFileSync(path, `${text}\n`, { mode: 0o600 });
  return `file:${path}`;
}

/** Runs restic itself on a repository, without WimGuard. */
export function restic(destination: string, ...args: string[]): string {
  return execFileSync("restic", ["--no-cache", ...args], {
    encoding: "utf8",
    env: { ...process.env, RESTIC_REPOSITORY: locationOf(destination), RESTIC_PASSWORD: password },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Ids of the snapshots of a repository. */
export function snapshotsOf(destination: string): string[] {
  return (JSON.parse(restic(destination, "snapshots", "--json", "--no-lock")) as { id: string }[]).map(({ id }) => id);
}

/** Whether a process works: one that has ended and that no one has waited for does not. */
export function isRunning(pid: number): boolean {
  return existsSync(`/proc/${pid}/cmdline`) && readFileSync(`/proc/${pid}/cmdline`).length > 0;
}

/** Process ids of the programs of this name that a process has started. */
export function childrenOf(pid: number, name: string): number[] {
  return globSync(`/proc/${pid}/task/*/children`)
    .flatMap((path) => readFileSync(path, "utf8").trim().split(" "))
    .filter((child) => child !== "" && existsSync(`/proc/${child}`))
    .filter((child) => readFileSync(`/proc/${child}/comm`, "utf8").trim() === name)
    .map(Number);
}
