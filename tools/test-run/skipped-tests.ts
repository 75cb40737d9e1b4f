// Describes skipped tests, and decides whether a run may have any.

export interface SkippedTest {
  /** Relative to the repository. */
  readonly file: string;
  readonly title: string;
  /** Whether it is a suite. Its tests are not named, because they were never declared. */
  readonly isSuite: boolean;
  /** True if there was none. */
  readonly reason: string | true;
}

export function describeSkipped({ file, title, isSuite, reason }: SkippedTest): string {
  const what = `skipped: ${file}: ${isSuite ? "suite" : "test"} ${JSON.stringify(title)}`;
  return reason === true ? what : `${what}: ${reason}`;
}

/** Returns whether the environment is CI, where every tool is installed, so a skipped test would never run. */
export function failsOnSkipped({ CI }: { readonly CI?: string | undefined }): boolean {
  return CI !== undefined && !["", "0", "false"].includes(CI);
}
