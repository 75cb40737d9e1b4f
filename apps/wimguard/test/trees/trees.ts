import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

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

/** Makes and walks trees, and makes archives. */
export interface TreeProgram {
  build(seed: number, folder: string, names: "utf8" | "any"): Promise<void>;
  /** Writes a tar archive of random members, most of which try to leave the folder that they are extracted into. */
  writeHostile(seed: number, path: string): Promise<void>;
  walk(folder: string): Promise<WalkedEntry[]>;
  close(): Promise<void>;
}

/** A folder for a tree and copies of it: one tree in a thousand has a file of 5 GiB, which not every program writes with its holes. */
export function roomFor(seed: number): string {
  return seed % 1000 === 999 ? "/var/tmp" : tmpdir();
}

/** Starts the program once for many trees: starting it takes longer than most of them. */
export function startTreeProgram(): TreeProgram {
  const child = spawn("python3", [script, "serve"], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "close");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const call = async (...request: readonly string[]): Promise<unknown> => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await lines.next();
    if (done === true) throw new Error("the program that makes trees has ended");
    const { result, error } = JSON.parse(value) as { result?: unknown; error?: string };
    if (error !== undefined) throw new Error(`${request.join(" ")}: ${error}`);
    return result;
  };
  return {
    async build(seed, folder, names) {
      await call("build", String(seed), folder, names);
    },
    async writeHostile(seed, path) {
      await call("hostile", String(seed), path);
    },
    walk: async (folder) => (await call("walk", folder)) as WalkedEntry[],
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}

/** The program for a few trees, which is started for each step. */
export const treeSteps: Omit<TreeProgram, "close"> = {
  build: async (seed, folder, names) => buildTree(seed, folder, names),
  writeHostile: async (seed, path) => void python("hostile", String(seed), path),
  walk: async (folder) => walkTree(folder),
};

/** Lets a folder and a link to another one take turns under the folder's name. Returns what ends that, with the folder in its place. */
export function startSwapping(folder: string, outside: string): () => Promise<void> {
  const child = spawn("python3", [script, "swap", folder, outside], { stdio: "ignore" });
  const ended = once(child, "close");
  return async () => {
    child.kill("SIGKILL");
    await ended;
  };
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
