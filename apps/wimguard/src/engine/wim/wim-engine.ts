import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { fail } from "../../failure/failure.ts";
import type { FileEngine } from "../engine.ts";
import { index, readFile, readOrigins, verify, withoutImage } from "./read-wim.ts";
import { restoreWim } from "./restore-wim.ts";
import { verifyFiles } from "./verify-files.ts";
import { program } from "./wim-program.ts";
import { writeWim } from "./write-wim.ts";

const execute = promisify(execFile);
const minVersion = 1.13;

/** Creates the engine for Windows images, by wimlib of 1.13 or later. */
export function createWimEngine(): FileEngine {
  const reading = { readOrigins, index, verify, readFile, verifyFiles, withoutImage };
  return { name: "wim", probe, write: writeWim, restore: restoreWim, ...reading };
}

async function probe(): Promise<{ version: string }> {
  const version = await execute(program, ["--version"]).then(
    ({ stdout }) => /^wimlib-imagex (\d+\.\d+\S*)/.exec(stdout)?.[1],
    () => undefined,
  );
  if (version !== undefined && isNewEnough(version)) return { version };
  const found = version === undefined ? `${program} is not installed` : `${program} ${version} is too old`;
  fail({
    reason: "ENGINE_MISSING",
    engine: "wim",
    message: `${found}: install wimlib ${minVersion} or later (Debian and Ubuntu: apt install wimtools), or back up to a .tar.zst file, which works now`,
  });
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 1 || (major === 1 && minor >= 13);
}
