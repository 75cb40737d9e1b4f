import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { removeStaleBuilds } from "./stale-builds.ts";
import { publicPackages } from "./workspace-packages.ts";

/** Builds the package in `folder`, and returns why it cannot be packed; undefined when it can. */
export function packingProblem(root: string, folder: string): string | undefined {
  const own = publicPackages(root).find((one) => join(root, one.folder) === folder);
  if (own === undefined) return `${folder} is not the folder of a public package`;
  if (own.program !== undefined) {
    // It is one bundle, built by a script of its own, which runs before.
    return existsSync(join(folder, own.program))
      ? undefined
      : `${own.program} is not built: run npm pack, which builds it`;
  }
  const compiler = join(root, "node_modules", ".bin", "tsc");
  if (!existsSync(compiler)) return "the compiler is not installed: run npm ci at the root of the repository";
  // npm pack --json owns standard output.
  if (spawnSync(compiler, ["-b", folder], { stdio: ["ignore", 2, 2] }).status !== 0) {
    return `${own.name} does not compile: fix what tsc reports above`;
  }
  removeStaleBuilds(folder);
  for (const [entry, source] of own.entryPoints) {
    const built = relative(own.folder, source)
      .replace(/^src\//, "dist/")
      .replace(/\.ts$/, "");
    const missing = [`${built}.js`, `${built}.d.ts`].find((file) => !existsSync(join(folder, file)));
    if (missing !== undefined) return `${entry} is not built, ${missing} is missing: run npx tsc -b --force`;
  }
  return undefined;
}
