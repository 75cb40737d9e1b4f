// Programs that tests build and start again and again: each is built once in a run of the tests.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildFolder } from "./build-folder.ts";

/** Names the folder that the processes of a test run share for what they have built; the runner removes it. */
export const programFolderVariable = "TERCEL_TEST_PROGRAMS";

let ownFolder: string | undefined;

/** Where there is no run, this process has a folder of its own until it ends. */
function programFolder(): string {
  const shared = process.env[programFolderVariable];
  if (shared !== undefined) return shared;
  if (ownFolder === undefined) {
    const folder = mkdtempSync(join(tmpdir(), "tercel-programs-"));
    // Programs also run as other users.
    chmodSync(folder, 0o711);
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    ownFolder = folder;
  }
  return ownFolder;
}

/** Returns a folder that `build` has filled, once in a test run for each name. Its JavaScript files are modules. */
export function buildProgram(name: string, build: (folder: string) => void): string {
  return buildFolder(join(programFolder(), name), (folder) => {
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
    build(folder);
    chmodSync(folder, 0o755);
  });
}
