import { readFileSync } from "node:fs";

/** The version of this program, from the package.json above `src/` as well as above the bundle in `dist/`. */
export function ownVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
  return manifest.version;
}
