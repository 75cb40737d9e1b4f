import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { buildProgram } from "../../../apps/wimguard/test/daemon/build-program.ts";
import type { DaemonStart } from "../../../apps/wimguard/test/daemon/daemon-process.ts";
import { soakFolder } from "./paths.ts";

/** A daemon's program as users have it: it starts in a part of the time that its sources take. */
export interface BuiltProgram {
  /** How a daemon of it is started. */
  readonly start: Pick<DaemonStart, "program" | "env">;
  remove(): void;
}

/** Builds it into a folder of its own: another proof may build its own at the same time. */
export function buildForProof(): BuiltProgram {
  // Below the repository's package.json, which says that files are modules.
  mkdirSync(soakFolder, { recursive: true });
  const folder = mkdtempSync(join(soakFolder, "program-"));
  return {
    start: { program: buildProgram(folder), env: { NODE_COMPILE_CACHE: join(folder, "compiled") } },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
