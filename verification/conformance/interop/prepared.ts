import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Runs `build`, unless it has already succeeded in this folder with the same inputs: file contents and versions. */
export function prepareOnce(folder: string, files: readonly string[], versions: string, build: () => void): void {
  mkdirSync(folder, { recursive: true });
  const hash = createHash("sha256").update(versions);
  for (const file of files) hash.update(readFileSync(file));
  const key = hash.digest("hex");
  const stamp = join(folder, "prepared");
  if (readOr(stamp, "") === key) return;
  build();
  writeFileSync(stamp, key);
}

/** Runs a step of a preparation. Throws an error with its output if it fails. */
export function runStep(file: string, args: readonly string[], environment: Record<string, string> = {}): void {
  console.log(`  preparing: ${file.split("/").at(-1)} ${args.slice(0, 3).join(" ")} …`);
  const { status, error, stdout, stderr } = spawnSync(file, args, {
    env: { ...process.env, ...environment },
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status === 0) return;
  const said = `${error?.message ?? ""}${stdout}${stderr}`.trim().split("\n").slice(-8).join("\n");
  throw new Error(`${file} ${args.join(" ")} failed:\n${said}`);
}

function readOr(file: string, fallback: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return fallback;
  }
}
