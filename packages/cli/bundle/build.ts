// Builds what is published: the program with all that it needs and no dependency, the .proto files that projects may import, and the
// licences of what is in the bundle. Run by npm before it packs; the folder to write to may be given.
import { cpSync, globSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { build, type Plugin } from "esbuild";
import { licencesOf } from "./licences.ts";

const own = dirname(import.meta.dirname);
const root = resolve(own, "../..");
const dist = resolve(process.argv[2] ?? join(own, "dist"));
/** Those that services import; the rest of the packages' protos are theirs alone. */
const shippedProtos = "packages/*/proto/{buf,google,tercel,validate}/**/*.proto";

/**
 * protoc-gen-es is CommonJS and would bring second copies of what the program has as ES modules: half a megabyte, and messages
 * that the other copy does not know.
 */
const oneCopy: Plugin = {
  name: "one copy of protobuf-es",
  setup(pluginBuild) {
    pluginBuild.onResolve({ filter: /^@bufbuild\/proto(buf|plugin)/ }, ({ path, kind, resolveDir }) =>
      kind === "require-call" ? pluginBuild.resolve(path, { kind: "import-statement", resolveDir }) : undefined,
    );
  },
};

/** protoplugin has a compiler of 9 MB for JavaScript output, which the program leaves to the project's own protoc-gen-es. */
const withoutCompiler: Plugin = {
  name: "no TypeScript compiler",
  setup(pluginBuild) {
    pluginBuild.onResolve({ filter: /^(typescript|@typescript\/vfs)$/ }, ({ path }) => ({ path, namespace: "absent" }));
    pluginBuild.onLoad({ filter: /.*/, namespace: "absent" }, () => ({
      contents:
        "export default {}; export const createDefaultMapFromNodeModules = undefined, createSystem = undefined, createVirtualCompilerHost = undefined;",
    }));
  },
};

rmSync(dist, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: [join(own, "src/main.ts")],
  outdir: dist,
  // What a command needs is loaded when it runs: a file for all would cost 100 ms before the first word.
  splitting: true,
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node22.18",
  conditions: ["source"],
  // Drivers that a service brings when it needs one. The program looks at their configuration and opens none.
  external: ["pg", "ioredis", "kysely", "pino", "@nats-io/*", "@opentelemetry/*"],
  // Names are left, so that a stack says where.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: "none",
  charset: "utf8",
  metafile: true,
  logLevel: "warning",
  // For what is CommonJS inside.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
  plugins: [oneCopy, withoutCompiler],
});
for (const file of globSync(shippedProtos, { cwd: root })) {
  const target = join(dist, "proto", file.replaceAll("\\", "/").replace(/^packages\/[^/]+\/proto\//, ""));
  mkdirSync(dirname(target), { recursive: true });
  cpSync(join(root, file), target);
}
cpSync(join(root, "packages/service/config.schema.json"), join(dist, "config.schema.json"));
writeFileSync(join(dist, "THIRD-PARTY-LICENSES.txt"), licencesOf(root, metafile));

console.error(`bundled ${relative(root, dist)}`);
