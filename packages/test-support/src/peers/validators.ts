import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { findProgram } from "../find-program.ts";
import { buildOnce, peerSources, runStep } from "./build-once.ts";
import { withoutGo } from "./go-peer.ts";
import { withoutPython } from "./python-peer.ts";

/** Why files of other programs cannot be validated here, or false where they can. */
export const withoutValidators: string | false = withoutGo || withoutPython;

const envoy = findProgram("envoy");
const promtool = findProgram("promtool");

/** Why a configuration cannot be loaded by Envoy itself here, or false where it can. */
export const withoutEnvoy: string | false = envoy === undefined && "Envoy is not installed; .ci/run installs it";

/** Why files of Prometheus cannot be checked here, or false where they can. */
export const withoutPromtool: string | false =
  promtool === undefined && "promtool is not installed; .ci/run installs it";

/** What a validator says of a file. */
export interface Validation {
  readonly isValid: boolean;
  /** What it printed; the reasons, where the file is invalid. */
  readonly output: string;
}

/** Builds the validator of Envoy's and compose's files, by the code of their own projects, unless it is built. */
export function buildGoValidators(): string {
  const source = join(peerSources, "validators-go");
  const folder = buildOnce(source, (target) => {
    runStep(findProgram("go", ["/usr/local/go/bin"]) ?? "go", [
      "-C",
      source,
      "build",
      "-o",
      join(target, "validators"),
      ".",
    ]);
  });
  return join(folder, "validators");
}

/** Installs hadolint and kubernetes-validate in a virtual environment unless they are there, and returns its folder of programs. */
export function buildPythonValidators(): string {
  const source = join(peerSources, "validators-python");
  const folder = buildOnce(source, (target) => {
    runStep(findProgram("python3") ?? "python3", ["-m", "venv", target]);
    runStep(join(target, "bin/python3"), ["-m", "pip", "install", "--quiet", "-r", join(source, "requirements.txt")]);
  });
  return join(folder, "bin");
}

export function validateEnvoy(file: string): Validation {
  return run(buildGoValidators(), ["envoy", file]);
}

/** Lets Envoy itself load the file, with every extension and file that it names, without serving. */
export function loadInEnvoy(file: string): Validation {
  return run(envoy ?? "envoy", ["--mode", "validate", "--log-level", "warning", "--config-path", file]);
}

/** A configuration of Prometheus, with the rules that it names. */
export function checkPrometheus(file: string): Validation {
  return run(promtool ?? "promtool", ["check", "config", "--lint=all", "--lint-fatal", file]);
}

/** Rules of Prometheus against series that another file describes, with what they are to say. */
export function testPrometheusRules(file: string): Validation {
  return run(promtool ?? "promtool", ["test", "rules", file]);
}

export function validateCompose(file: string): Validation {
  return run(buildGoValidators(), ["compose", file]);
}

/** Puts together what a folder's kustomization.yaml names, and returns it, or why that cannot be done. */
export function kustomize(folder: string): Validation {
  return run(buildGoValidators(), ["kustomize", folder]);
}

/** Every rule of hadolint. */
export function lintDockerfile(file: string): Validation {
  return run(join(buildPythonValidators(), "hadolint"), ["--failure-threshold", "style", file]);
}

/** Strictly: unknown keys are refused, too. */
export function validateKubernetes(files: readonly string[]): Validation {
  // The folder was renamed after the installation, so that the script's first line leads nowhere.
  const program = join(buildPythonValidators(), "kubernetes-validate");
  return run(join(buildPythonValidators(), "python3"), [program, "--strict", ...files]);
}

function run(program: string, args: readonly string[]): Validation {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8" });
  return { isValid: status === 0, output: `${error?.message ?? ""}${stdout}${stderr}` };
}
