// `npm run build`: writes the published code of each public package into its `dist/`.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { publicPackages, type WorkspacePackage } from "../workspace-packages.ts";
import { bundleCode } from "./bundle-code.ts";
import { removeStaleBuilds } from "./stale-builds.ts";

/** Builds every public package below `root`: declarations with tsc, code with esbuild. Throws an error that says what to do. */
export function buildPackages(root: string): void {
  const packages = publicPackages(root);
  const bundled = packages.filter((one) => hasBundle(root, one));
  const libraries = packages.filter((one) => librarySources(root, one).length > 0);
  compile(
    root,
    libraries.map(({ folder }) => folder),
  );
  for (const one of libraries) {
    const folder = join(root, one.folder);
    removeStaleBuilds(folder);
    const sources = librarySources(root, one);
    bundleCode(
      folder,
      sources.map((source) => source.slice(one.folder.length + 1)),
    );
    const missing = sources
      .map((source) => builtFrom(one, source, ".d.ts"))
      .find((file) => !existsSync(join(root, file)));
    if (missing !== undefined)
      throw new Error(`${one.name} is not built, ${missing} is missing: run npx tsc -b --force`);
  }
  // A package may have both a bundled program and a library.
  for (const one of bundled) bundleProgram(root, one);
}

/** Whether the program of a package is published with everything that it imports. It has no types, because no one imports it. */
export function hasBundle(root: string, one: WorkspacePackage): boolean {
  return existsSync(join(root, one.folder, bundleScript));
}

/** Returns the sources that are published with types and with imports of other packages: entry points, and programs without a bundle. */
function librarySources(root: string, one: WorkspacePackage): string[] {
  return [...one.entryPoints.values(), ...(hasBundle(root, one) ? [] : one.programs.values())];
}

const bundleScript = "bundle/build.ts";

function bundleProgram(root: string, one: WorkspacePackage): void {
  const folder = join(root, one.folder);
  const { status } = spawnSync(process.execPath, [join(folder, bundleScript)], {
    cwd: folder,
    stdio: ["ignore", 2, 2],
  });
  if (status !== 0) throw new Error(`${one.name} is not built: fix what ${one.folder}/${bundleScript} reports above`);
}

/** Returns the file that is built from the source of an entry point, relative to the root. */
export function builtFrom(one: WorkspacePackage, source: string, ending: ".js" | ".d.ts"): string {
  return `${one.folder}/dist/${source.slice(`${one.folder}/src/`.length).replace(/\.ts$/, ending)}`;
}

function compile(root: string, folders: readonly string[]): void {
  const compiler = join(root, "node_modules", ".bin", "tsc");
  if (!existsSync(compiler)) throw new Error("the compiler is not installed: run npm ci at the root of the repository");
  // The program that packs uses standard output for its own results.
  const { status } = spawnSync(compiler, ["-b", ...folders], { cwd: root, stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error("the packages do not compile: fix what tsc reports above");
}

if (import.meta.main) buildPackages(dirname(dirname(import.meta.dirname)));
