// One file starts in a fraction of the processor time that Node takes to find and load hundreds of sources.
import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { buildSync } from "esbuild";
import { buildProgram } from "./built-programs.ts";

/**
 * Bundles a TypeScript program of this repository with the sources of the packages that it imports, once in a test run, and returns the
 * path of the bundle. `import.meta` in it is that of the program, so that it finds the files next to it.
 */
export function bundleProgram(file: string): string {
  const name = basename(file, ".ts");
  const folder = buildProgram(`${name}-${createHash("sha256").update(file).digest("hex").slice(0, 8)}`, (outdir) => {
    buildSync({
      entryPoints: { [name]: file },
      outdir,
      bundle: true,
      // What a program loads on demand stays out of its first file.
      splitting: true,
      format: "esm",
      platform: "node",
      target: "node22.18",
      conditions: ["source"],
      logLevel: "error",
      define: {
        "import.meta.url": JSON.stringify(pathToFileURL(file).href),
        "import.meta.dirname": JSON.stringify(dirname(file)),
        "import.meta.filename": JSON.stringify(file),
      },
      // CommonJS packages call require(), which modules do not have.
      banner: {
        js: `import { createRequire as __createRequire } from "node:module"; const require = __createRequire(${JSON.stringify(file)});`,
      },
    });
  });
  return join(folder, `${name}.js`);
}
