import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { BUILD_FOLDER, ROOT_FOLDER } from "../paths.ts";

/** Builds WimGuard's program as users have it, and returns its path. */
export function buildProgram(): string {
  const folder = join(BUILD_FOLDER, "wimguard");
  const script = join(ROOT_FOLDER, "apps/wimguard/bundle/build.ts");
  const { status } = spawnSync(process.execPath, [script, folder], { stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error(`the program is not built: fix what ${script} reports above`);
  return join(folder, "command/main.js");
}
