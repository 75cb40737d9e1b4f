// Builds the published package: the program bundled with its dependencies, the .proto files that projects may import, and the licences of
// the bundled packages. npm runs it before it packs; the argument is the output folder.
import { cpSync, globSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { build, type Plugin } from "esbuild";
import { licencesOf } from "./licences.ts";
import { programOptions } from "./program-options.ts";

const own = dirname(import.meta.dirname);
const root = resolve(own, "../..");
const dist = resolve(process.argv[2] ?? join(own, "dist"));
/** The .proto files that services import; the other files of the packages are internal. */
const shippedProtos = "packages/*/proto/{buf,google,tercel,validate}/**/*.proto";

/**
 * protoc-gen-es is CommonJS and would add second copies of packages that the program has as ES modules: half a megabyte, and messages
 * that the other copy does not recognize.
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
  ...programOptions,
  entryPoints: [join(own, "src/main.ts")],
  outdir: dist,
  absWorkingDir: root,
  // Drivers that a service installs itself. The program reads their configuration and opens none.
  external: ["pg", "ioredis", "kysely", "pino", "@nats-io/*", "@opentelemetry/*"],
  charset: "utf8",
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
