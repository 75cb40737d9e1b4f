import { join } from "node:path";
import type { TestContext } from "node:test";
import { findProgram } from "../find-program.ts";
import { type StartedProgram, startCommand } from "../programs.ts";
import { buildOnce, peerSources, runStep } from "./build-once.ts";

const go = findProgram("go", ["/usr/local/go/bin"]);

/** The reason to skip tests with grpc-go; false if Go is installed. */
export const withoutGo: string | false = go === undefined && "go, which builds the grpc-go peer, is not installed";

/** Builds the grpc-go peer if necessary, and returns its path. The first build takes a minute and needs the network. */
export function buildGoPeer(): string {
  const source = join(peerSources, "grpc-go");
  const folder = buildOnce(source, (target) => {
    runStep(go ?? "go", ["-C", source, "build", "-o", join(target, "tercel-peer"), "."]);
  });
  return join(folder, "tercel-peer");
}

/** Starts a subcommand of the grpc-go peer, see `peers/grpc-go/main.go`. It is stopped at the end of the test. */
export function startGoPeer(test: TestContext, command: string, args: readonly string[] = []): StartedProgram {
  return startCommand(test, buildGoPeer(), [command, ...args]);
}
