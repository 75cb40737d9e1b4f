// Builds the program that is published: with all that it imports, next to the client library, which imports other packages. Run by npm run pack;
// the folder to write to may be given.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { build } from "esbuild";
import { licencesOf } from "../../../packages/cli/bundle/licences.ts";
import { programOptions } from "../../../packages/cli/bundle/program-options.ts";

const own = dirname(import.meta.dirname);
const root = resolve(own, "../..");
const dist = resolve(process.argv[2] ?? join(own, "dist"));
const folder = join(dist, "command");

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const { metafile } = await build({
  ...programOptions,
  // The thread of an engine is found by its own path, next to the file that starts it.
  entryPoints: { main: join(own, "src/command/main.ts"), "engine-thread": join(own, "src/thread/engine-thread.ts") },
  outdir: folder,
  absWorkingDir: root,
  // Of features that the program does not use.
  external: ["@bufbuild/protovalidate", "ioredis", "redis", "pino"],
  // V8 keeps the text of a module in two bytes a character if one of them needs it.
  charset: "ascii",
});
writeFileSync(join(folder, "THIRD-PARTY-LICENSES.txt"), licencesOf(root, metafile));
console.error(`bundled ${relative(root, folder)}`);
