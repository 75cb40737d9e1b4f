// Regenerates TypeScript from .proto files in every folder of the repository that holds a buf.gen.yaml: in the examples and the shop as their
// readers do, by `tercel generate`, which brings the protos of google.api and of validation rules, elsewhere by buf.
// Works offline: buf, protoc-gen-es and the well-known types all come from node_modules. Only the benchmarks' folder needs Go, and on the first
// run npm: a peer's plugin is in a package apart from the workspace.
import { spawnSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

const root = join(import.meta.dirname, "..");
const binaries = join(root, "node_modules", ".bin");
const commandLine = join(root, "packages", "cli", "src", "main.ts");
const folders = globSync("**/buf.gen.yaml", { cwd: root, exclude: (name) => name.endsWith("node_modules") })
  .map((file) => dirname(file))
  .sort();

/** Packages that `npm ci` in the workspace does not install, and that bring a plugin for a folder. */
const pluginPackages = new Map([["verification/bench", "verification/bench/peers/node"]]);

if (folders.length === 0) {
  console.error("No folder holds a buf.gen.yaml.");
  process.exitCode = 1;
}

for (const folder of folders) {
  installPlugins(folder);
  const [program, args] = /^(?:examples|apps\/shop)(?:\/|$)/.test(folder)
    ? [process.execPath, ["--conditions=source", commandLine, "generate"]]
    : ["buf", ["generate"]];
  const { status, error } = spawnSync(program, args, {
    cwd: join(root, folder),
    // buf looks its plugins up on the PATH.
    env: { ...process.env, PATH: `${binaries}${delimiter}${process.env.PATH ?? ""}` },
    stdio: "inherit",
  });
  if (status !== 0) {
    console.error(`generating code failed in ${folder}${error === undefined ? "" : `: ${error.message}`}`);
    process.exitCode = 1;
  } else {
    console.log(`generated ${folder}`);
  }
}

/** What fails here shows in the generation after it, which names the plugin that is missing. */
function installPlugins(folder: string): void {
  const packageFolder = pluginPackages.get(folder);
  if (packageFolder === undefined || existsSync(join(root, packageFolder, "node_modules", ".package-lock.json")))
    return;
  console.log(`installing the plugins of ${folder}`);
  spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--prefix", join(root, packageFolder)], { stdio: "inherit" });
}
