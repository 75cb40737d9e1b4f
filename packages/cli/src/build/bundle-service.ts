import { createRequire } from "node:module";
import { join } from "node:path";
import type { BuildFailure, BuildOptions, BuildResult, Plugin } from "esbuild";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";
import { ownConditions } from "../frame/node-conditions.ts";

/** A file that was written, by its path from the folder of the service. */
export interface BuiltFile {
  readonly path: string;
  readonly bytes: number;
}

export interface Bundle {
  readonly files: readonly BuiltFile[];
  /** Sources of the service, by their path from its folder. */
  readonly sources: readonly string[];
  /** Packages that are left out, because they are not installed. */
  readonly missing: readonly string[];
}

type Esbuild = { build(options: BuildOptions & { metafile: true }): Promise<BuildResult<{ metafile: true }>> };

/**
 * Rolls a service and all packages that it uses into few files, with the project's esbuild: what a provider loads only where it is configured stays a
 * file of its own.
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
      charset: "utf8",
      conditions: [...ownConditions()],
      // Names are left, so that a stack says where; the maps say in which file of the sources.
      minifyWhitespace: true,
      minifySyntax: true,
      sourcemap: true,
      sourcesContent: false,
      legalComments: "none",
      metafile: true,
      logLevel: "silent",
      // CommonJS packages, pg for one, call require(), which ES modules do not have by themselves.
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

/** A package that is imported only where it is needed, and is not there, stays an import: the kit says then what to install. */
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
    throw new CommandFailure(exitCodes.failed, "esbuild, which makes the bundle, is not installed", {
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
