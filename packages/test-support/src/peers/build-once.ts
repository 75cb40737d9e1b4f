import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { buildFolder } from "../built-programs.ts";

const cache = join(import.meta.dirname, "../../../../.cache/peers");

/** The folder with the sources of all peers, one subfolder for each. */
export const peerSources = join(import.meta.dirname, "../../peers");

/**
 * Returns the folder with the output of `build` for the sources in `source`. Builds only if no process has built the same sources before.
 * Concurrent processes all build, and the first one to finish wins.
 */
export function buildOnce(source: string, build: (folder: string) => void): string {
  const hash = createHash("sha256");
  for (const file of readdirSync(source).sort()) hash.update(file).update(readFileSync(join(source, file)));
  return buildFolder(join(cache, hash.digest("hex").slice(0, 16)), build);
}

/** Runs one step of a build in `cwd` (default: the current folder). Throws with the end of the output if it fails. */
export function runStep(program: string, args: readonly string[], cwd?: string): void {
  const { status, error, stdout, stderr } = spawnSync(program, args, {
    ...{ encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
    ...(cwd !== undefined && { cwd }),
  });
  if (status === 0) return;
  const output = `${error?.message ?? ""}${stdout}${stderr}`.trim().split("\n").slice(-8).join("\n");
  throw new Error(`${program} ${args.join(" ")} failed:\n${output}`);
}
