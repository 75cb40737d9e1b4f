// Rolls up the code of a package for publishing: a file for each entry point, and chunks for shared code, so that a
// program reads few files when it starts, and each class exists once.
import { buildSync } from "esbuild";

/**
 * Writes the modules at `sources` (paths from the package's folder) into the package's `dist/`, as ES modules with
 * source maps. Other packages remain imports. Throws esbuild's error if an import has no target.
 */
export function bundleCode(packageFolder: string, sources: readonly string[]): void {
  buildSync({
    absWorkingDir: packageFolder,
    entryPoints: [...sources],
    outbase: "src",
    outdir: "dist",
    chunkNames: "chunks/[hash]",
    bundle: true,
    splitting: true,
    packages: "external",
    format: "esm",
    platform: "node",
    target: "node22.18",
    charset: "utf8",
    sourcemap: true,
    // The sources are published too.
    sourcesContent: false,
    logLevel: "silent",
  });
}
