import { readFileSync } from "node:fs";

/** Returns the version of this program; package.json is one level above both `src/` and the bundle in `dist/`. */
export function ownVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
  return manifest.version;
}
