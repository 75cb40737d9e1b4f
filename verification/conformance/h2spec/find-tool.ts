import { homedir } from "node:os";
import { join } from "node:path";
import { findProgram } from "@tercel/test-support/servers";

/** Finds a program of h2spec in .cache/bin, on the PATH or in the folder of `go install`. The error of a missing one says how to install it. */
export function findTool(name: "h2spec" | "h2specd"): string | undefined {
  const found = findProgram(name) ?? findProgram(name, [join(process.env.GOPATH ?? join(homedir(), "go"), "bin")]);
  if (found === undefined) {
    console.error(
      `${name} is not installed: .ci/run builds it, or go install github.com/summerwind/h2spec/cmd/${name}@latest`,
    );
  }
  return found;
}
