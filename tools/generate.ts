// Generates TypeScript from .proto files in every folder with a buf.gen.yaml. The examples and the shop use `tercel generate`, as their
// readers do, which includes the protos of google.api and of validation rules. Other folders use buf.
// It works offline, because buf, protoc-gen-es and the well-known types are in node_modules. Only the benchmarks' folder needs Go and, on the
// first run, npm, because the plugin of a peer is in a package outside of the workspace.
import { spawnSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

const root = join(import.meta.dirname, "..");
const binaries = join(root, "node_modules", ".bin");
const commandLine = join(root, "packages", "cli", "src", "main.ts");
const folders = globSync("**/buf.gen.yaml", { cwd: root, exclude: (name) => name.endsWith("node_modules") })
  .map((file) => dirname(file))
  .sort();

/** Packages outside of the workspace with the plugin of a folder. */
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
    // buf finds its plugins on the PATH.
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

/** Failures are ignored here: the generation fails next, and names the missing plugin. */
function installPlugins(folder: string): void {
  const packageFolder = pluginPackages.get(folder);
  if (packageFolder === undefined || existsSync(join(root, packageFolder, "node_modules", ".package-lock.json")))
    return;
  console.log(`installing the plugins of ${folder}`);
  spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--prefix", join(root, packageFolder)], { stdio: "inherit" });
}
