import { join } from "node:path";
import type { TestContext } from "node:test";
import { findProgram } from "../find-program.ts";
import { type StartedProgram, startCommand } from "../programs.ts";
import { buildOnce, peerSources, runStep } from "./build-once.ts";

/** Builds vanguard-go's transcoder if necessary, and returns its path. The first build takes a minute and needs the network. */
export function buildVanguardPeer(): string {
  const source = join(peerSources, "vanguard-go");
  const folder = buildOnce(source, (target) => {
    const go = findProgram("go", ["/usr/local/go/bin"]) ?? "go";
    runStep(go, ["-C", source, "build", "-o", join(target, "tercel-vanguard"), "."]);
  });
  return join(folder, "tercel-vanguard");
}

/** Starts vanguard-go in front of a gRPC server. The first line of its output is its port. It is stopped at the end of the test. */
export function startVanguardPeer(
  test: TestContext,
  upstreamPort: number,
  descriptorSet: string,
  service: string,
): StartedProgram {
  return startCommand(test, buildVanguardPeer(), [String(upstreamPort), descriptorSet, service]);
}
