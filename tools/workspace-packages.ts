import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { listFiles } from "./source-files.ts";

export interface WorkspacePackage {
  readonly name: string;
  readonly version: string | undefined;
  /** The path from the root, with forward slashes; empty for the root. */
  readonly folder: string;
  readonly isPrivate: boolean;
  /** Dependencies that users install: dependencies, peer and optional dependencies. */
  readonly dependencies: ReadonlySet<string>;
  readonly devDependencies: ReadonlySet<string>;
  /** The source file of each entry point, such as `@tercel/grpc/testing`, relative to the root. */
  readonly entryPoints: ReadonlyMap<string, string>;
  /** The source file of each command that the package installs, relative to the root. */
  readonly programs: ReadonlyMap<string, string>;
}

/** Reads every package.json below `root`, including the root's, without node_modules and dist. */
export function readPackages(root: string): WorkspacePackage[] {
  const manifests = listFiles(root).filter((file) => file === "package.json" || file.endsWith("/package.json"));
  return manifests.map((file) => parseManifest(readFileSync(join(root, file), "utf8"), file));
}

/** Returns the package of a file: the nearest package.json in its folder or above. */
export function packageOf(packages: readonly WorkspacePackage[], file: string): WorkspacePackage | undefined {
  let nearest: WorkspacePackage | undefined;
  for (const candidate of packages) {
    const isAbove = candidate.folder === "" || file.startsWith(`${candidate.folder}/`);
    if (isAbove && (nearest === undefined || candidate.folder.length > nearest.folder.length)) nearest = candidate;
  }
  return nearest;
}

/** Returns the packages whose folders contain a file, the outermost first. */
export function packagesAbove(packages: readonly WorkspacePackage[], file: string): WorkspacePackage[] {
  return packages.filter((one) => one.folder === "" || file.startsWith(`${one.folder}/`));
}

/** Returns the packages that users install: those in packages/ and apps/ that are not private and have sources. */
export function publicPackages(root: string): WorkspacePackage[] {
  const holdsCode = ({ folder }: WorkspacePackage): boolean =>
    ["src", "dist"].some((part) => existsSync(join(root, folder, part)));
  return readPackages(root).filter(
    (one) => /^(?:packages|apps)\//.test(one.folder) && !one.isPrivate && holdsCode(one),
  );
}

/** Returns whether the source file of an entry point exists. */
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

/** Returns the `source` condition of an export. A target without conditions is its own source. */
function sourceOf(target: unknown): string {
  if (typeof target === "string") return target;
  const source = (target as Record<string, unknown> | null)?.source;
  return typeof source === "string" ? source : "";
}
