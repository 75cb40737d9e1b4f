import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { fail } from "../../failure/failure.ts";
import type { RepositoryEngine } from "../engine.ts";
import { indexSnapshot } from "./list-snapshot.ts";
import { check, readFile, verifyFiles } from "./read-restic.ts";
import { program } from "./restic-program.ts";
import { restoreRestic } from "./restore-restic.ts";
import { storeRestic } from "./store-restic.ts";

const execute = promisify(execFile);
const minVersion = "0.14";

/** Creates the engine for repositories, by restic of 0.14 or later. */
export function createResticEngine(): RepositoryEngine {
  return {
    name: "restic",
    probe,
    store: storeRestic,
    index: (archive, outputs, _, signal) => indexSnapshot(archive, outputs, signal),
    restore: restoreRestic,
    readFile,
    verifyFiles,
    check,
  };
}

async function probe(): Promise<{ version: string }> {
  const version = await execute(program, ["version"]).then(
    ({ stdout }) => /^restic (\d+\.\d+\S*)/.exec(stdout)?.[1],
    () => undefined,
  );
  if (version !== undefined && isNewEnough(version)) return { version };
  const found = version === undefined ? "restic is not installed" : `restic ${version} is too old`;
  fail({
    reason: "ENGINE_MISSING",
    engine: "restic",
    message: `${found}: install restic ${minVersion} or later (Debian and Ubuntu: apt install restic), or back up to a .tar.zst file, which works now`,
  });
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 0 || minor >= 14;
}
