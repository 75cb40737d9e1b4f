import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { listFiles } from "./source-files.ts";

export interface WorkspacePackage {
  readonly name: string;
  readonly version: string | undefined;
  /** From the root, with forward slashes; empty for the root itself. */
  readonly folder: string;
  readonly isPrivate: boolean;
  /** Installed for users: dependencies, peer and optional dependencies. */
  readonly dependencies: ReadonlySet<string>;
  readonly devDependencies: ReadonlySet<string>;
  /** Entry point as a user writes it (`@tercel/grpc/testing`) to its source file, from the root. */
  readonly entryPoints: ReadonlyMap<string, string>;
  /** Command that the package installs to its source file, from the root. */
  readonly programs: ReadonlyMap<string, string>;
}

/** Reads every package.json below `root` (the root's own included), those in node_modules and dist left out. */
export function readPackages(root: string): WorkspacePackage[] {
  const manifests = listFiles(root).filter((file) => file === "package.json" || file.endsWith("/package.json"));
  return manifests.map((file) => parseManifest(readFileSync(join(root, file), "utf8"), file));
}

/** The package a file belongs to: that of the nearest package.json on the way up. */
export function packageOf(packages: readonly WorkspacePackage[], file: string): WorkspacePackage | undefined {
  let nearest: WorkspacePackage | undefined;
  for (const candidate of packages) {
    const isAbove = candidate.folder === "" || file.startsWith(`${candidate.folder}/`);
    if (isAbove && (nearest === undefined || candidate.folder.length > nearest.folder.length)) nearest = candidate;
  }
  return nearest;
}

/** The packages whose folders hold a file, from the outside in. */
export function packagesAbove(packages: readonly WorkspacePackage[], file: string): WorkspacePackage[] {
  return packages.filter((one) => one.folder === "" || file.startsWith(`${one.folder}/`));
}

/** The packages that users install: those in packages/ and apps/ that are not private. One that holds nothing yet is only announced. */
export function publicPackages(root: string): WorkspacePackage[] {
  const holdsCode = ({ folder }: WorkspacePackage): boolean =>
    ["src", "dist"].some((part) => existsSync(join(root, folder, part)));
  return readPackages(root).filter(
    (one) => /^(?:packages|apps)\//.test(one.folder) && !one.isPrivate && holdsCode(one),
  );
}

/** True when an entry point's source file is there. */
export function hasSource(root: string, sourceFile: string): boolean {
  return existsSync(join(root, sourceFile));
}

function parseManifest(text: string, file: string): WorkspacePackage {
  const manifest = JSON.parse(text) as Record<string, unknown>;
  const folder = file === "package.json" ? "" : file.slice(0, -"/package.json".length);
  const name = typeof manifest.name === "string" ? manifest.name : folder;
  return {
    name,
    version: typeof manifest.version === "string" ? manifest.version : undefined,
    folder,
    isPrivate: manifest.private === true,
    dependencies: new Set([
      ...namesIn(manifest.dependencies),
      ...namesIn(manifest.peerDependencies),
      ...namesIn(manifest.optionalDependencies),
    ]),
    devDependencies: new Set(namesIn(manifest.devDependencies)),
    entryPoints: new Map(
      Object.entries((manifest.exports ?? {}) as Record<string, unknown>)
        .filter(([subpath]) => !subpath.endsWith(".json"))
        .map(([subpath, target]) => [
          `${name}${subpath.slice(1)}`,
          `${folder}/${sourceOf(target).replace(/^\.\//, "")}`,
        ]),
    ),
    programs: new Map(
      Object.entries((manifest.bin ?? {}) as Record<string, string>).map(([command, built]) => [
        command,
        `${folder}/${built.replace(/^(\.\/)?dist\//, "src/").replace(/\.js$/, ".ts")}`,
      ]),
    ),
  };
}

function namesIn(dependencies: unknown): string[] {
  return Object.keys((dependencies ?? {}) as Record<string, string>);
}

/** What an export's `source` condition names; a target without conditions is its own source. */
function sourceOf(target: unknown): string {
  if (typeof target === "string") return target;
  const source = (target as Record<string, unknown> | null)?.source;
  return typeof source === "string" ? source : "";
}
