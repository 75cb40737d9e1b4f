import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { findProgram } from "../find-program.ts";
import { buildOnce, peerSources, runStep } from "./build-once.ts";
import { withoutGo } from "./go-peer.ts";
import { withoutPython } from "./python-peer.ts";

/** The reason to skip the validation of other programs' files; false if Go and Python are installed. */
export const withoutValidators: string | false = withoutGo || withoutPython;

const envoy = findProgram("envoy");
const promtool = findProgram("promtool");

/** The reason to skip tests that load a configuration into Envoy; false if Envoy is installed. */
export const withoutEnvoy: string | false = envoy === undefined && "Envoy is not installed; .ci/run installs it";

/** The reason to skip checks of Prometheus files; false if promtool is installed. */
export const withoutPromtool: string | false =
  promtool === undefined && "promtool is not installed; .ci/run installs it";

/** Result of a validator. */
export interface Validation {
  readonly isValid: boolean;
  /** The output, with the errors of an invalid file. */
  readonly output: string;
}

/** Builds the validator of Envoy and Compose files, which uses the code of these projects, if necessary. */
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

/** Installs hadolint and kubernetes-validate in a virtual environment if necessary, and returns its bin folder. */
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

/** Loads the file into Envoy with all referenced extensions and files, without serving. */
export function loadInEnvoy(file: string): Validation {
  return run(envoy ?? "envoy", ["--mode", "validate", "--log-level", "warning", "--config-path", file]);
}

/** Checks a configuration of Prometheus with its rule files. */
export function checkPrometheus(file: string): Validation {
  return run(promtool ?? "promtool", ["check", "config", "--lint=all", "--lint-fatal", file]);
}

/** Runs a file of promtool unit tests for rules. */
export function testPrometheusRules(file: string): Validation {
  return run(promtool ?? "promtool", ["test", "rules", file]);
}

export function validateCompose(file: string): Validation {
  return run(buildGoValidators(), ["compose", file]);
}

/** Runs kustomize in a folder, and returns the manifest or the error. */
export function kustomize(folder: string): Validation {
  return run(buildGoValidators(), ["kustomize", folder]);
}

/** Checks a file with all rules of hadolint. */
export function lintDockerfile(file: string): Validation {
  return run(join(buildPythonValidators(), "hadolint"), ["--failure-threshold", "style", file]);
}

/** Validates in strict mode, which also refuses unknown keys. */
export function validateKubernetes(files: readonly string[]): Validation {
  // The interpreter in the script's first line does not exist, because the folder was renamed after the installation.
  const program = join(buildPythonValidators(), "kubernetes-validate");
  return run(join(buildPythonValidators(), "python3"), [program, "--strict", ...files]);
}

function run(program: string, args: readonly string[]): Validation {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8" });
  return { isValid: status === 0, output: `${error?.message ?? ""}${stdout}${stderr}` };
}
