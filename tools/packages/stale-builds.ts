import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { listFiles } from "../source-files.ts";

/**
 * Removes all code from a package's `dist/`, because it is written again, and the declarations of deleted sources, which the compiler
 * does not remove. They would be published. Returns their paths.
 */
export function removeStaleBuilds(packageFolder: string): string[] {
  const dist = join(packageFolder, "dist");
  const stale = listFiles(dist).filter((file) => {
    if (/\.js(\.map)?$/.test(file)) return true;
    const source = /^(.+?)\.d\.ts(?:\.map)?$/.exec(file)?.[1];
    return source !== undefined && !existsSync(join(packageFolder, "src", `${source}.ts`));
  });
  for (const file of stale) rmSync(join(dist, file));
  return stale;
}
