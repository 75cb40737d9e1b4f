import { createRequire } from "node:module";
import { join } from "node:path";
import type { BuildFailure, BuildOptions, BuildResult, Plugin } from "esbuild";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";
import { ownConditions } from "../frame/node-conditions.ts";

/** An output file, by its path relative to the service's folder. */
export interface BuiltFile {
  readonly path: string;
  readonly bytes: number;
}

export interface Bundle {
  readonly files: readonly BuiltFile[];
  /** Bundled sources, by their path relative to the service's folder. */
  readonly sources: readonly string[];
  /** Packages that are not in the bundle, because they are not installed. */
  readonly missing: readonly string[];
}

type Esbuild = { build(options: BuildOptions & { metafile: true }): Promise<BuildResult<{ metafile: true }>> };

/**
 * Bundles a service and the packages that it uses, with the project's esbuild. A package that a provider loads on demand becomes a separate
 * file.
 *
 * @throws CommandFailure when esbuild is not installed, or the service does not compile
 */
export async function bundleService(folder: string, main: string, out: string): Promise<Bundle> {
  const { build } = loadEsbuild(folder);
  const missing = new Set<string>();
  try {
    const { metafile } = await build({
      absWorkingDir: folder,
      entryPoints: { main },
      outdir: out,
      bundle: true,
      splitting: true,
      format: "esm",
      platform: "node",
      target: "node22.18",
      // V8 keeps the text of a module in two bytes a character if one of them needs it.
      charset: "ascii",
      conditions: [...ownConditions()],
      // Names are kept and source maps written, so that stack traces are readable.
      minifyWhitespace: true,
      minifySyntax: true,
      sourcemap: true,
      sourcesContent: false,
      legalComments: "none",
      metafile: true,
      logLevel: "silent",
      // CommonJS packages such as pg call require(), which ES modules do not have.
      banner: {
        js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
      },
      plugins: [withoutMissing(missing)],
    });
    return {
      files: Object.entries(metafile.outputs)
        .filter(([path]) => path.endsWith(".js"))
        .map(([path, { bytes }]) => ({ path, bytes })),
      sources: Object.keys(metafile.inputs).filter(
        (path) => !path.includes("node_modules/") && !path.startsWith("../"),
      ),
      missing: [...missing].sort(),
    };
  } catch (error) {
    throw describeFailure(error as Partial<BuildFailure>);
  }
}

/** Leaves an optional package that is not installed as an import: at run time the kit reports which package to install. */
function withoutMissing(missing: Set<string>): Plugin {
  const probing = {};
  return {
    name: "packages that may be missing",
    setup(build) {
      build.onResolve({ filter: /^[^./]/ }, async ({ path, kind, resolveDir, pluginData }) => {
        if (
          pluginData === probing ||
          (kind !== "dynamic-import" && kind !== "require-call" && kind !== "require-resolve")
        )
          return undefined;
        const found = await build.resolve(path, { kind, resolveDir, pluginData: probing });
        if (found.errors.length === 0) return found;
        if (kind === "dynamic-import") missing.add(path);
        return { path, external: true };
      });
    },
  };
}

function loadEsbuild(folder: string): Esbuild {
  try {
    return createRequire(join(folder, "package.json"))("esbuild") as Esbuild;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    throw new CommandFailure(exitCodes.failed, "esbuild is not installed; it creates the bundle", {
      hint: "npm install -D esbuild, or tercel build --no-bundle",
    });
  }
}

function describeFailure(error: Partial<BuildFailure>): unknown {
  const { errors = [] } = error;
  if (errors.length === 0) return error;
  const lines = errors.map(({ location, text }) =>
    location === null ? text : `${location.file}:${location.line}:${location.column + 1}: ${text}`,
  );
  const [first = "the service does not compile", ...others] = lines;
  return new CommandFailure(exitCodes.invalidInput, first, { lines: others });
}
