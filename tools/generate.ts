// Regenerates TypeScript from .proto files in every folder of the repository that holds a buf.gen.yaml: in the examples and the shop as their
// readers do, by `tercel generate`, which brings the protos of google.api and of validation rules, elsewhere by buf.
// Works offline: buf, protoc-gen-es and the well-known types all come from node_modules.
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

const root = join(import.meta.dirname, "..");
const binaries = join(root, "node_modules", ".bin");
const commandLine = join(root, "packages", "cli", "src", "main.ts");
const folders = globSync("**/buf.gen.yaml", { cwd: root, exclude: (name) => name.endsWith("node_modules") })
  .map((file) => dirname(file))
  .sort();

if (folders.length === 0) {
  console.error("No folder holds a buf.gen.yaml.");
  process.exitCode = 1;
}

for (const folder of folders) {
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
