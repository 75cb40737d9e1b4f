// Builds and runs images with buildah, without an image registry: the base image consists of programs of this machine.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { type StartedProgram, startCommand } from "@tercel/test-support/programs";
import { findProgram } from "@tercel/test-support/servers";

const buildah = findProgram("buildah");

/** The reason why images cannot be built and run here, or false. */
export const withoutBuildah: string | false =
  buildah === undefined
    ? "buildah is not installed; .ci/run installs it"
    : process.getuid?.() !== 0 && "buildah's isolation by chroot needs root";

/** The images and containers of one test. */
export interface ImageStore {
  /** Runs buildah and returns its output. */
  run(args: readonly string[], cwd?: string): string;
  /** Runs a command in a container, until the test ends at the latest. */
  start(args: readonly string[]): StartedProgram;
}

export function createImageStore(t: TestContext): ImageStore {
  const folder = mkdtempSync(join(tmpdir(), "tercel-images-"));
  // vfs copies whole trees, so it needs no overlay file system.
  const options = ["--root", join(folder, "root"), "--runroot", join(folder, "run"), "--storage-driver", "vfs"];
  const env = { BUILDAH_ISOLATION: "chroot" };
  const run = (args: readonly string[], cwd = folder): string => {
    const { status, stdout, stderr, error } = spawnSync(buildah ?? "buildah", [...options, ...args], {
      cwd,
      env: { ...process.env, ...env },
      encoding: "utf8",
    });
    assert.equal(status, 0, `buildah ${args.join(" ")}: ${error?.message ?? ""}\n${stdout}\n${stderr}`);
    return stdout;
  };
  t.after(() => {
    run(["rm", "--all"]);
    rmSync(folder, { recursive: true, force: true });
  });
  return { run, start: (args) => startCommand(t, buildah ?? "buildah", [...options, ...args], env) };
}

/** The tarballs and the npm cache from which a service was installed. In the image they replace the registry. */
export interface PackageSource {
  /** The folder that the lock file names, two levels above the service. */
  readonly tarballs: string;
}

/** The name of the base image, instead of `node:24-slim`. */
export const nodeImage = "localhost/node";
/** The mount point of npm's cache while an image is built. */
export const cacheInImage = "/npm-cache";

/**
 * Creates an image with Node, npm and the few programs that a Dockerfile of `tercel deploy docker` runs: those of this machine, with their
 * libraries. It contains the unpublished packages at the path in the lock file, and npm uses its cache only.
 */
export function createNodeImage(store: ImageStore, { tarballs }: PackageSource): void {
  const tree = mkdtempSync(join(tmpdir(), "tercel-node-image-"));
  try {
    // As in distributions, where sh is in both folders.
    mkdirSync(join(tree, "usr/bin"), { recursive: true });
    symlinkSync("usr/bin", join(tree, "bin"));
    for (const name of ["sh", "env", "mkdir", "chown"]) copyProgram(tree, pathOf(name));
    copyProgram(tree, process.execPath, "/usr/local/bin/node");
    copyNpm(tree);
    cpSync(tarballs, join(tree, basename(tarballs)), { recursive: true });
    mkdirSync(join(tree, "root"));
    mkdirSync(join(tree, "tmp"));
    chmodSync(join(tree, "tmp"), 0o1777);
    mkdirSync(join(tree, "etc"), { recursive: true });
    writeFileSync(join(tree, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
    const file = join(dirname(tree), `${basename(tree)}.Dockerfile`);
    const variables = {
      PATH: "/usr/local/bin:/usr/bin:/bin",
      npm_config_cache: cacheInImage,
      npm_config_offline: "true",
    };
    const lines = Object.entries(variables).map(([name, value]) => `ENV ${name}=${value}\n`);
    writeFileSync(file, `FROM scratch\nCOPY . /\n${lines.join("")}`);
    try {
      store.run(["bud", "--format", "docker", "--tag", nodeImage, "--file", file, tree]);
    } finally {
      rmSync(file);
    }
  } finally {
    rmSync(tree, { recursive: true });
  }
}

function pathOf(name: string): string {
  return findProgram(name) ?? assert.fail(`${name} is not installed`);
}

/** Copies a program and the libraries that it loads, each to the path where the program looks for it. */
function copyProgram(tree: string, program: string, target = program): void {
  copyInto(tree, program, target);
  const { stdout } = spawnSync("ldd", [program], { encoding: "utf8" });
  for (const [, library = ""] of stdout.matchAll(/(\/\S+) \(0x/g)) copyInto(tree, library, library);
}

function copyInto(tree: string, file: string, target: string): void {
  const copy = join(tree, target);
  if (existsSync(copy)) return;
  mkdirSync(dirname(copy), { recursive: true });
  copyFileSync(realpathSync(file), copy);
}

function copyNpm(tree: string): void {
  const program = realpathSync(pathOf("npm"));
  const npm = join(tree, "usr/local/lib/node_modules/npm");
  cpSync(dirname(dirname(program)), npm, { recursive: true });
  for (const name of ["npm", "npx"]) {
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(tree, "usr/local/bin", name));
  }
}

/** The configuration of an image. */
export interface ImageConfig {
  readonly User: string;
  readonly Cmd: readonly string[];
  readonly ExposedPorts: Readonly<Record<string, object>>;
  /** "CMD" and the command. */
  readonly Healthcheck: { readonly Test: readonly string[] };
}

export function inspectImage(store: ImageStore, image: string): ImageConfig {
  const { Docker } = JSON.parse(store.run(["inspect", "--type", "image", image])) as {
    readonly Docker: { readonly config: ImageConfig };
  };
  return Docker.config;
}

/**
 * Returns the process of a command in a container that has this variable. buildah does not forward the signals that it gets itself, but shares the
 * machine's process ids.
 */
export function findContained(command: readonly string[], variable: string): number {
  const fieldsOf = (file: string): readonly string[] => {
    try {
      return readFileSync(file, "utf8").split("\0").slice(0, -1);
    } catch {
      // It has ended in the meantime.
      return [];
    }
  };
  const found = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .find((pid) => {
      const [program = "", ...args] = fieldsOf(`/proc/${pid}/cmdline`);
      return (
        [basename(program), ...args].join("\0") === command.join("\0") &&
        fieldsOf(`/proc/${pid}/environ`).includes(variable)
      );
    });
  return Number(found ?? assert.fail(`${command.join(" ")} does not run`));
}

/** Returns the total size of all files in a folder, in bytes. */
export function bytesOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
