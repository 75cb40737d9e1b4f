import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { fail } from "../../failure/failure.ts";
import type { FileEngine } from "../engine.ts";
import { indexTar } from "./index-tar.ts";
import { readMember } from "./read-member.ts";
import { readTarOrigins } from "./read-origin.ts";
import { restoreTar } from "./restore-tar.ts";
import { verifyMembers } from "./verify-members.ts";
import { archiveStart, verifyTar } from "./verify-tar.ts";
import { writeTar } from "./write/write-tar.ts";

const execute = promisify(execFile);

/** Creates the embedded engine: GNU tar, which is part of every Linux, and zstd, which is part of Node. */
export function createTarEngine(): FileEngine {
  return {
    name: "tar",
    async probe() {
      const version = await execute("tar", ["--version"]).then(
        ({ stdout }) => /^tar \(GNU tar\) (\S+)/.exec(stdout)?.[1],
        () => undefined,
      );
      if (version !== undefined) return { version };
      fail({
        reason: "ENGINE_MISSING",
        engine: "tar",
        message: "GNU tar is not installed: install the package tar, or back up to a .wim file",
      });
    },
    write: writeTar,
    index: indexTar,
    readOrigins: readTarOrigins,
    verify: (archivePath, events, signal) => verifyTar(archivePath, archiveStart, events, signal),
    restore: restoreTar,
    readFile: readMember,
    verifyFiles: verifyMembers,
  };
}
