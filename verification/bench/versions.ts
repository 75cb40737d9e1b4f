import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Returns the version of an installed npm package, from its package.json. */
export function packageVersion(packageFolder: string): string {
  const { version } = JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8")) as { version: string };
  return version;
}

/** Returns the version of a Go module that a go.mod requires. */
export function requiredGoVersion(goMod: string, module: string): string {
  for (const line of goMod.split("\n")) {
    const [name, version] = line.replace("require ", "").trim().split(" ");
    if (name === module && version !== undefined) return version;
  }
  return "unknown";
}

/** Returns the version of a crate in a Cargo.lock. */
export function lockedCrateVersion(lock: string, crate: string): string {
  return new RegExp(`^name = "${crate}"\nversion = "([^"]+)"$`, "m").exec(lock)?.[1] ?? "unknown";
}

/** Returns a property in the pom.xml of a Maven project. */
export function pomProperty(pom: string, property: string): string {
  return new RegExp(`<${property}>([^<]+)</${property}>`).exec(pom)?.[1] ?? "unknown";
}
