// Adds to package-lock.json what npm omitted, so that `npm ci` accepts the file and can verify every download:
// optional packages for other platforms, and integrity hashes. npm omits packages that its registry does not offer,
// such as the macOS build of a tool on a mirror for Linux machines.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface LockedPackage {
  readonly version?: string;
  /** The hash of the tarball. Without it, npm installs whatever it receives. */
  readonly integrity?: string;
  /** True for packages of this workspace, which are never downloaded. */
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export type LockedPackages = Readonly<Record<string, LockedPackage>>;

const systems = ["android", "darwin", "win32", "linux", "freebsd", "netbsd", "openbsd", "sunos", "aix"];
const processors = ["arm64", "x64", "armv7", "arm", "ia32", "ppc64", "riscv64", "s390x", "loong64", "mips64el"];

/** Returns the optional packages that a locked package names and the lock file does not have. */
export function missingOptionalPackages(locked: LockedPackages): Map<string, LockedPackage> {
  const missing = new Map<string, LockedPackage>();
  for (const { dev, optionalDependencies } of Object.values(locked)) {
    for (const [name, range] of Object.entries(optionalDependencies ?? {})) {
      const path = `node_modules/${name}`;
      if (locked[path] !== undefined) continue;
      missing.set(path, { version: range, ...(dev === true ? { dev } : {}), optional: true, ...platformOf(name) });
    }
  }
  return missing;
}

/** Returns the paths of locked packages from a registry whose download could not be verified. */
export function pathsWithoutIntegrity(locked: LockedPackages): string[] {
  return Object.entries(locked)
    .filter(([path, { link, integrity }]) => path.includes("node_modules/") && link !== true && integrity === undefined)
    .map(([path]) => path);
}

/** The names of such packages contain their platform. */
function platformOf(name: string): Pick<LockedPackage, "os" | "cpu" | "libc"> {
  const words = name.split(/[-/]/);
  const os = systems.find((system) => words.includes(system));
  const cpu = processors.find((processor) => words.includes(processor));
  if (os === undefined || cpu === undefined) throw new Error(`${name} does not say which platform it is for`);
  const platform = { os: [os], cpu: [cpu === "armv7" ? "arm" : cpu] };
  return words.includes("musl") ? { ...platform, libc: ["musl"] } : platform;
}

/** Requests the hash of a version from the registry. Throws if the registry does not have that version. */
function fetchIntegrity(name: string, version: string): string {
  const output = execFileSync("npm", ["view", `${name}@${version}`, "dist.integrity"], { encoding: "utf8" });
  const integrity = output.trim();
  if (!/^sha512-\S+$/.test(integrity)) throw new Error(`the registry has no integrity hash for ${name}@${version}`);
  return integrity;
}

if (import.meta.main) {
  const file = join(import.meta.dirname, "..", "..", "package-lock.json");
  const lock = JSON.parse(readFileSync(file, "utf8"));
  const missing = missingOptionalPackages(lock.packages);
  const all = [...Object.entries<LockedPackage>(lock.packages), ...missing].sort(([one], [other]) =>
    one < other ? -1 : 1,
  );
  const packages = Object.fromEntries(all);
  const unverified = pathsWithoutIntegrity(packages);
  for (const path of unverified) {
    const { version = "", ...others } = packages[path] ?? {};
    const integrity = fetchIntegrity(path.split("node_modules/").at(-1) ?? "", version);
    packages[path] = { version, integrity, ...others };
  }
  writeFileSync(file, `${JSON.stringify({ ...lock, packages }, null, 2)}\n`);
  console.log(`added ${missing.size} packages and ${unverified.length} integrity hashes`);
}
