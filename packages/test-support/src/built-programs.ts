// Programs that tests build and start again and again: each is built once in a run of the tests.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

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

/**
 * Has `build` fill the folder at `path`, unless it is there. Processes that build at the same time each build, and the first one to finish
 * wins.
 */
export function buildFolder(path: string, build: (folder: string) => void): string {
  if (existsSync(path)) return path;
  mkdirSync(dirname(path), { recursive: true });
  const folder = mkdtempSync(join(dirname(path), "building-"));
  try {
    build(folder);
    renameSync(folder, path);
  } catch (error) {
    // Another process was faster: a folder that is not empty cannot be replaced.
    if (!existsSync(path)) throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return path;
}
