import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";

const script = join(import.meta.dirname, "trees.py");
const maxOutputBytes = 256 * 1024 * 1024;

/** Why tests with trees are skipped, or false where they are not. */
export const withoutPython: string | false =
  spawnSync("python3", ["-c", "import hashlib, tarfile"]).status !== 0 &&
  "python3, which makes and walks trees, is not installed";

/** What a walk finds at a path; paths are hexadecimal. */
export type WalkedEntry = Readonly<Record<string, unknown>> & { readonly path: string; readonly mtime: string };

/** Fills an empty folder with names, kinds, modes, owners, links, holes and times of all sorts. */
export function buildTree(seed: number, folder: string, names: "utf8" | "any"): void {
  python("build", String(seed), folder, names);
}

/** Everything in a folder, found by a program that shares nothing with ours. */
export function walkTree(folder: string): WalkedEntry[] {
  return JSON.parse(python("walk", folder)) as WalkedEntry[];
}

/** Writes a tar archive that must not be restored. */
export function writeHostileArchive(kind: string, path: string): void {
  python("archive", kind, path);
}

/** As engines see times that keep less than nanoseconds. */
export function withTimesOf(entries: readonly WalkedEntry[], unitNs: bigint): WalkedEntry[] {
  return entries.map((entry) => {
    const time = BigInt(entry.mtime);
    const rest = ((time % unitNs) + unitNs) % unitNs;
    return { ...entry, mtime: String(time - rest) };
  });
}

function python(...args: string[]): string {
  return execFileSync("python3", [script, ...args], { encoding: "utf8", maxBuffer: maxOutputBytes });
}
