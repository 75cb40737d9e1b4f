// `npm run set-version -- 0.2.0`: sets the version of every package in the workspace. `npm version` does not change the exact
// versions in which the packages depend on each other.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readPackages } from "../workspace-packages.ts";

/** The part of a manifest, or of its entry in package-lock.json, that contains the version. */
interface Manifest {
  version?: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

const userAgentFile = "packages/grpc/src/protocol/user-agent.ts";

/** Writes `version` into the manifests of the workspace below `root`, package-lock.json and the user agent. */
export function setVersion(root: string, version: string): void {
  if (!/^\d+\.\d+\.\d+(-[0-9a-z.-]+)?$/i.test(version)) {
    throw new Error(`invalid version "${version}": expected three numbers such as 1.2.3, or 1.2.3-beta.1`);
  }
  const lock = readJson(join(root, "package-lock.json")) as Manifest & { packages: Record<string, Manifest> };
  const members = readPackages(root).filter(({ folder }) => lock.packages[folder] !== undefined);
  const names = new Set(members.map(({ name }) => name));
  lock.version = version;
  for (const { folder } of members) {
    changeVersion(lock.packages[folder] ?? {}, names, version);
    const file = join(root, folder, "package.json");
    const manifest = readJson(file) as Manifest;
    changeVersion(manifest, names, version);
    writeJson(file, manifest);
  }
  writeJson(join(root, "package-lock.json"), lock);

  const userAgent = readFileSync(join(root, userAgentFile), "utf8");
  const changed = userAgent.replace(/"grpc-tercel\/[^"]*"/, `"grpc-tercel/${version}"`);
  if (!changed.includes(`"grpc-tercel/${version}"`)) throw new Error(`${userAgentFile} does not hold the user agent`);
  writeFileSync(join(root, userAgentFile), changed);
}

function changeVersion(manifest: Manifest, names: ReadonlySet<string>, version: string): void {
  manifest.version = version;
  for (const dependencies of [manifest.dependencies, manifest.devDependencies, manifest.peerDependencies]) {
    for (const name of Object.keys(dependencies ?? {})) {
      if (dependencies !== undefined && names.has(name)) dependencies[name] = version;
    }
  }
}

function readJson(file: string): object {
  return JSON.parse(readFileSync(file, "utf8")) as object;
}

function writeJson(file: string, value: object): void {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}

if (import.meta.main) {
  const [version = ""] = process.argv.slice(2);
  setVersion(dirname(dirname(import.meta.dirname)), version);
  console.log(`every package has version ${version}`);
}
