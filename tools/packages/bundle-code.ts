// Rolls the code of a package up for publishing: a file for each entry point, and chunks for what several of them share, so that a
// program reads few files when it starts and still gets one copy of each class.
import { buildSync } from "esbuild";

/**
 * Writes into the package's `dist/` the code of the modules at `sources`, which are paths from the package's folder, as ES modules with
 * source maps. Other packages stay imports. Throws esbuild's error when an import leads nowhere.
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
    // The sources are published next to the code.
    sourcesContent: false,
    logLevel: "silent",
  });
}
