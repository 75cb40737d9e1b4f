import { UsageError } from "../options.ts";
import type { BenchDocument } from "./document.ts";

/** What two parts of a run must have in common for their figures to compare. */
type RunIdentity = Pick<BenchDocument, "commit" | "options" | "versions" | "machine">;

/**
 * Lets parts of one run through.
 *
 * @throws UsageError that names the first thing in which they differ
 */
export function requireSameRun(earlier: RunIdentity, now: RunIdentity): void {
  const identity = ({ commit, options, versions, machine }: RunIdentity): Record<string, unknown> => ({
    commit,
    rounds: options.rounds,
    seconds: options.seconds,
    processor: machine.cpu,
    cores: machine.cores,
    ...Object.fromEntries(Object.entries(versions).map(([name, version]) => [`version of ${name}`, version])),
  });
  const [before, after] = [identity(earlier), identity(now)];
  for (const what of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (before[what] === after[what]) continue;
    throw new UsageError(
      `The file has a part of another run: its ${what} is ${before[what]}, and here it is ${after[what]}. Remove the file to begin again.`,
    );
  }
}
