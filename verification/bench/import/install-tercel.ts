import { rmSync } from "node:fs";
import { join } from "node:path";
import { buildPackages } from "../../../tools/packages/build-packages.ts";
import { stagePackage } from "../../../tools/packages/pack-packages.ts";
import { publicPackages } from "../../../tools/workspace-packages.ts";
import { BUILD_FOLDER, ROOT_FOLDER } from "../paths.ts";

/** A folder in which a program imports Tercel like users do. */
export const installedFolder = join(BUILD_FOLDER, "import");

/** Installs built packages below node_modules. Dependencies are found in a parent folder. */
export function installTercel(): void {
  buildPackages(ROOT_FOLDER);
  rmSync(installedFolder, { recursive: true, force: true });
  for (const one of publicPackages(ROOT_FOLDER)) {
    stagePackage(ROOT_FOLDER, one, join(installedFolder, "node_modules", one.name));
  }
}
