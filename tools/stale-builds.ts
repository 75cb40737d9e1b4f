import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { listFiles } from "./source-files.ts";

/**
 * Removes from a package's `dist/` what was built from sources that are gone, and returns their paths: the compiler
 * leaves those, and they would be published.
 */
export function removeStaleBuilds(packageFolder: string): string[] {
  const dist = join(packageFolder, "dist");
  const stale = listFiles(dist).filter((file) => {
    const source = /^(.+?)(?:\.d\.ts|\.js)(?:\.map)?$/.exec(file)?.[1];
    return source !== undefined && !existsSync(join(packageFolder, "src", `${source}.ts`));
  });
  for (const file of stale) rmSync(join(dist, file));
  return stale;
}
