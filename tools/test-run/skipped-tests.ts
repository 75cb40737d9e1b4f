// What a run says about tests that were skipped, and whether it may have any.

export interface SkippedTest {
  /** Relative to the repository. */
  readonly file: string;
  readonly title: string;
  /** Whether it is a suite: its tests are not named, because they were never declared. */
  readonly isSuite: boolean;
  /** True where none was given. */
  readonly reason: string | true;
}

export function describeSkipped({ file, title, isSuite, reason }: SkippedTest): string {
  const what = `skipped: ${file}: ${isSuite ? "suite" : "test"} ${JSON.stringify(title)}`;
  return reason === true ? what : `${what}: ${reason}`;
}

/** Whether the variables are those of CI, where every tool is installed, so that a skipped test would never run. */
export function failsOnSkipped({ CI }: { readonly CI?: string | undefined }): boolean {
  return CI !== undefined && !["", "0", "false"].includes(CI);
}
