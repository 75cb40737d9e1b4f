import { rmSync } from "node:fs";
import { join } from "node:path";
import { buildPackages } from "../../../tools/packages/build-packages.ts";
import { stagePackage } from "../../../tools/packages/pack-packages.ts";
import { publicPackages } from "../../../tools/workspace-packages.ts";
import { BUILD_FOLDER, ROOT_FOLDER } from "../paths.ts";

/** Where a program finds Tercel as its users do. */
export const installedFolder = join(BUILD_FOLDER, "import");

/** As users have it: built, and below node_modules; what it depends on is found further up. */
export function installTercel(): void {
  buildPackages(ROOT_FOLDER);
  rmSync(installedFolder, { recursive: true, force: true });
  for (const one of publicPackages(ROOT_FOLDER)) {
    stagePackage(ROOT_FOLDER, one, join(installedFolder, "node_modules", one.name));
  }
}
