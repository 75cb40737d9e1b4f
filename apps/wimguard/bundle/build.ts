// Builds the program that is published: with all that it imports, next to the client library, which imports other packages. Run by npm run pack;
// the folder to write to may be given.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { type BuildOptions, build } from "esbuild";
import { licencesOf } from "../../../packages/cli/bundle/licences.ts";
import { programOptions } from "../../../packages/cli/bundle/program-options.ts";

const own = dirname(import.meta.dirname);
const root = resolve(own, "../..");
const dist = resolve(process.argv[2] ?? join(own, "dist"));
const folder = join(dist, "command");

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const common = {
  ...programOptions,
  outdir: folder,
  absWorkingDir: root,
  // Of features that the program does not use.
  external: ["@bufbuild/protovalidate", "ioredis", "redis", "pino"],
  // V8 keeps the text of a module in two bytes a character if one of them needs it.
  charset: "ascii",
} satisfies BuildOptions;
/** Built for itself: in one build with the clients, each of them would load all of gRPC that any of the two uses. */
const serverFile = "./server.js";
const clients = await build({
  ...common,
  entryPoints: { main: join(own, "src/command/main.ts") },
  plugins: [
    {
      name: "server",
      setup: (one) =>
        one.onResolve({ filter: /^\.\/server\.ts$/ }, ({ importer }) =>
          importer === join(own, "src/command/program.ts") ? { path: serverFile, external: true } : undefined,
        ),
    },
  ],
});
const daemon = await build({
  ...common,
  // The thread of an engine is found by its own path, next to the file that starts it.
  entryPoints: {
    server: join(own, "src/command/server.ts"),
    "engine-thread": join(own, "src/thread/engine-thread.ts"),
  },
});
const metafile = { ...clients.metafile, inputs: { ...clients.metafile.inputs, ...daemon.metafile.inputs } };
writeFileSync(join(folder, "THIRD-PARTY-LICENSES.txt"), licencesOf(root, metafile));
console.error(`bundled ${relative(root, folder)}`);
