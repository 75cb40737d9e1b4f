// Writes the tarballs that users install: `npm run pack`, or `npm run pack -- --to FOLDER`. It builds the packages first.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { publicPackages, type WorkspacePackage } from "../workspace-packages.ts";
import { buildPackages } from "./build-packages.ts";
import { publishedManifest } from "./published-manifest.ts";

/** npm's description of a tarball. */
export interface PackedPackage {
  readonly name: string;
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** Builds the public packages below `root` and packs them into `folder`, in the order of their dependencies. */
export function packPackages(root: string, folder: string): readonly PackedPackage[] {
  buildPackages(root);
  mkdirSync(folder, { recursive: true });
  const staged = mkdtempSync(join(tmpdir(), "tercel-pack-"));
  try {
    const packages = inPublishingOrder(publicPackages(root));
    for (const one of packages) stagePackage(root, one, join(staged, one.folder));
    const args = ["pack", "--json", "--pack-destination", folder, ...packages.map((one) => `./${one.folder}`)];
    const { status, stdout, stderr, error } = spawnSync("npm", args, { cwd: staged, encoding: "utf8" });
    if (status !== 0) throw new Error(`npm pack failed: ${error?.message ?? ""}\n${stdout}\n${stderr}`);
    // npm prints a list of tarballs. Newer versions print an object by package name.
    return Object.values(JSON.parse(stdout) as readonly PackedPackage[] | Record<string, PackedPackage>);
  } finally {
    rmSync(staged, { recursive: true });
  }
}

/** Copies a built package to `target` with the package.json that users get. The original one is for the workspace. */
export function stagePackage(root: string, one: WorkspacePackage, target: string): void {
  const folder = join(root, one.folder);
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { files?: readonly string[] };
  mkdirSync(target, { recursive: true });
  // npm excludes entries that begin with "!".
  const parts = (manifest.files ?? []).filter((part) => !part.startsWith("!"));
  for (const part of [...parts, "LICENSE", "README.md"])
    cpSync(join(folder, part), join(target, part), { recursive: true });
  writeFileSync(join(target, "package.json"), `${JSON.stringify(publishedManifest({ ...manifest }), null, 2)}\n`);
}

/** Sorts packages after their dependencies, so that no package is published before its dependency. */
function inPublishingOrder(packages: readonly WorkspacePackage[]): readonly WorkspacePackage[] {
  const byName = new Map(packages.map((one) => [one.name, one]));
  const ordered = new Set<WorkspacePackage>();
  const add = (one: WorkspacePackage): void => {
    for (const name of one.dependencies) {
      const dependency = byName.get(name);
      if (dependency !== undefined && !ordered.has(dependency)) add(dependency);
    }
    ordered.add(one);
  };
  for (const one of packages) add(one);
  return [...ordered];
}

if (import.meta.main) {
  const root = dirname(dirname(import.meta.dirname));
  const { values } = parseArgs({ options: { to: { type: "string" } } });
  const folder = values.to === undefined ? join(root, ".cache", "packages") : resolve(values.to);
  // Tarballs of earlier versions would be published or installed too. In a folder that the user selected, the user must remove them.
  if (values.to === undefined) rmSync(folder, { recursive: true, force: true });
  for (const { filename } of packPackages(root, folder)) console.log(join(folder, filename));
}
