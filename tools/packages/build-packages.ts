// Writes what is published of each public package into its `dist/`: `npm run build`.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { publicPackages, type WorkspacePackage } from "../workspace-packages.ts";
import { bundleCode } from "./bundle-code.ts";
import { removeStaleBuilds } from "./stale-builds.ts";

/** Builds every public package below `root`: declarations by tsc, code by esbuild. Throws an error that says what to do. */
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
  // Next to the library of a package that has both.
  for (const one of bundled) bundleProgram(root, one);
}

/** True when a package's program is published with all that it imports. It has no types, because it is not imported. */
export function hasBundle(root: string, one: WorkspacePackage): boolean {
  return existsSync(join(root, one.folder, bundleScript));
}

/** What is published with imports of other packages, and with types: entry points, and programs without a bundle. */
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

/** The file, from the root, that is built from an entry point's source. */
export function builtFrom(one: WorkspacePackage, source: string, ending: ".js" | ".d.ts"): string {
  return `${one.folder}/dist/${source.slice(`${one.folder}/src/`.length).replace(/\.ts$/, ending)}`;
}

function compile(root: string, folders: readonly string[]): void {
  const compiler = join(root, "node_modules", ".bin", "tsc");
  if (!existsSync(compiler)) throw new Error("the compiler is not installed: run npm ci at the root of the repository");
  // Standard output belongs to the program that packs.
  const { status } = spawnSync(compiler, ["-b", ...folders], { cwd: root, stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error("the packages do not compile: fix what tsc reports above");
}

if (import.meta.main) buildPackages(dirname(dirname(import.meta.dirname)));
