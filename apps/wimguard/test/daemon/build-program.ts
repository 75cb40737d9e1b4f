import { spawnSync } from "node:child_process";
import { join } from "node:path";

const script = join(import.meta.dirname, "../../bundle/build.ts");

/** Builds WimGuard's program as users have it into a folder of its own, and returns its path. */
export function buildProgram(folder: string): string {
  const { status } = spawnSync(process.execPath, [script, folder], { stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error(`the program is not built: fix what ${script} reports above`);
  return join(folder, "command/main.js");
}
