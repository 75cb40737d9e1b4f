import { basename } from "node:path";
import { isBelow } from "../watch/is-below.ts";

/** A build of `tercel.yaml`: a program that writes files which services serve, such as a page. All paths are absolute. */
export interface Build {
  readonly name: string;
  /** Folder of `tercel.yaml`, in which the program runs. */
  readonly folder: string;
  /** A file that Node runs, or a command line for the shell. */
  readonly program: { readonly entry: string } | { readonly command: string };
  /** The file or folder that it writes. */
  readonly output: string;
  /** Files and folders that only the build reads. */
  readonly watch: readonly string[];
  /** Files and folders that services read too. */
  readonly shared: readonly string[];
  /** Names of services that start again after it, because they read its output when they start. */
  readonly restart: readonly string[];
}

/** Whether a change of a file requires the build to run. */
export function isInput(build: Build, file: string): boolean {
  if (isBelow(file, build.output) || /^\.|~$/.test(basename(file))) return false;
  return inputsOf(build).some((input) => isBelow(file, input));
}

/** Returns all files and folders that the build reads. */
export function inputsOf({ program, watch, shared }: Build): readonly string[] {
  return ["entry" in program ? program.entry : [], watch, shared].flat();
}

/** Whether a build writes a file, or is the only one to read it. */
export function isOfBuild({ program, output, watch, shared }: Build, file: string): boolean {
  if (isBelow(file, output)) return true;
  const own = ["entry" in program ? program.entry : [], watch].flat();
  return own.some((input) => isBelow(file, input)) && !shared.some((input) => isBelow(file, input));
}
