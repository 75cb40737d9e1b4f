import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { findProgram } from "../find-program.ts";
import { type StartedProgram, startCommand } from "../programs.ts";
import { buildOnce, peerSources, runStep } from "./build-once.ts";

const python = findProgram("python3");

/** The reason to skip tests with Python's grpcio; false if Python is installed. */
export const withoutPython: string | false =
  (python === undefined || spawnSync(python, ["-c", "import venv, ensurepip"]).status !== 0) &&
  "python3 with venv, which runs the grpcio peer, is not installed";

/** Installs grpcio in a virtual environment if necessary, and returns the path of its interpreter. */
export function buildPythonPeer(): string {
  const source = join(peerSources, "python");
  const folder = buildOnce(source, (target) => {
    // The complete folder is renamed, which works for an environment that has only links and no scripts.
    runStep(python ?? "python3", ["-m", "venv", target]);
    runStep(join(target, "bin/python3"), ["-m", "pip", "install", "--quiet", "-r", join(source, "requirements.txt")]);
  });
  return join(folder, "bin/python3");
}

/** Starts a script of `peers/python`, named without `.py`. It is stopped at the end of the test. */
export function startPythonPeer(test: TestContext, script: string, args: readonly string[] = []): StartedProgram {
  return startCommand(test, buildPythonPeer(), [join(peerSources, "python", `${script}.py`), ...args]);
}
