// The project of a user: an empty folder in which every public package is installed from its tarball.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type PackedPackage, packPackages } from "./pack-packages.ts";

/** Packs the packages below `root`, and installs them in `folder`. */
export function createPackedProject(root: string, folder: string): readonly PackedPackage[] {
  const packed = packPackages(root, folder);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "user", private: true, type: "module" }));
  const tarballs = packed.map(({ filename }) => join(folder, filename));
  runAsUser("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", ...tarballs], folder);
  return packed;
}

/** Runs a command and returns its output. Throws an error with the output if the exit code is not 0. */
export function runAsUser(
  command: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): { readonly stdout: string; readonly stderr: string } {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    env: { ...userEnvironment(), ...env },
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? ""}\n${stdout}\n${stderr}`);
  return { stdout, stderr };
}

/** Keeps settings such as the registry, but not the project of the outer npm or the variables of the test runner. */
export function userEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(config_local_prefix$|package_|lifecycle_)|^NODE_(TEST_CONTEXT|OPTIONS)$/.test(name),
    ),
  );
}
