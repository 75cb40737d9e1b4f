import { compareOrigins, type Origin, placeOf } from "./document/origin.ts";

/** A problem of a configuration. */
export interface ConfigProblem {
  /** Location of the problem; undefined without one, as for a missing file. */
  readonly origin?: Origin;
  /** What is wrong and how to fix it. */
  readonly message: string;
}

/** Formats a problem: `config.yaml:5:9: service.port is "abc"; expected a number from 0 to 65535`. */
export function problemText({ origin, message }: ConfigProblem): string {
  return origin === undefined || origin.kind === "default" ? message : `${placeOf(origin)}: ${message}`;
}

/** Thrown for an invalid configuration. The message has a line for each problem; there is at least one. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(problemText);
    super(lines.length === 1 ? lines[0] : [`the configuration has ${lines.length} problems:`, ...lines].join("\n"));
    this.problems = problems;
  }
}

/** Sorts problems by location and removes duplicates. Those without a location come first. */
export function sortProblems(problems: readonly ConfigProblem[], fileOrder: readonly string[]): ConfigProblem[] {
  const byText = new Map(problems.map((problem) => [problemText(problem), problem]));
  return [...byText.values()].sort((a, b) => {
    if (a.origin === undefined || b.origin === undefined)
      return Number(b.origin === undefined) - Number(a.origin === undefined);
    return compareOrigins(a.origin, b.origin, fileOrder);
  });
}
