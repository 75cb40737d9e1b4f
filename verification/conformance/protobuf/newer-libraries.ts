import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runStep } from "../interop/prepared.ts";

/** The command of a program: a file and its first arguments. */
export type Command = readonly [program: string, ...firstArguments: string[]];

/** The release that follows Debian 12, with glibc 2.41 and GCC 14's libstdc++. */
const release = "trixie";
const packages = ["libc6", "libstdc++6", "libgcc-s1"];
const systemSources = "/etc/apt/sources.list.d/debian.sources";

/**
 * Returns a command that runs a program with the C and C++ libraries of a newer Debian, if it was built on a newer system. The
 * libraries are in `folder`. Nothing is installed, and child processes of the program use the system's libraries.
 *
 * @throws Error without apt, or if its mirror lacks the release
 */
export function newerLibraries(folder: string, program: string): Command {
  const libraries = join(folder, "root", "usr", "lib", "x86_64-linux-gnu");
  if (!existsSync(libraries)) {
    if (!existsSync(systemSources) || process.arch !== "x64") {
      throw new Error(`${program} needs glibc 2.38, and this system is not a Debian to take it from`);
    }
    unpack(folder);
  }
  return [join(libraries, "ld-linux-x86-64.so.2"), "--library-path", libraries, program];
}

function unpack(folder: string): void {
  const work = join(folder, "apt");
  for (const part of ["sources", "lists/partial", "cache/archives/partial"]) {
    mkdirSync(join(work, part), { recursive: true });
  }
  writeFileSync(join(work, "sources", "newer.sources"), newerSources());
  const options = [
    ...["-o", "Dir::Etc::sourcelist=/dev/null", "-o", `Dir::Etc::sourceparts=${join(work, "sources")}`],
    ...["-o", `Dir::State::lists=${join(work, "lists")}`, "-o", `Dir::Cache=${join(work, "cache")}`],
    ...["-o", "APT::Sandbox::User=root", "-o", "Acquire::Languages=none"],
  ];
  runStep("apt-get", [...options, "update"]);
  runStep("sh", ["-c", `cd "$0" && apt-get "$@"`, work, ...options, "download", ...packages]);
  const unpacked = join(work, "root");
  runStep("sh", ["-c", `for deb in "$0"/*.deb; do dpkg-deb -x "$deb" "$1"; done`, work, unpacked]);
  renameSync(unpacked, join(folder, "root"));
  rmSync(work, { recursive: true });
}

/** Returns the system's first source, its main mirror, with the newer release. */
function newerSources(): string {
  const [first = ""] = readFileSync(systemSources, "utf8").split(/\n\s*\n/);
  return first.replace(/^Suites:.*$/m, `Suites: ${release}`);
}
