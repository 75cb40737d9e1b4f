import { type FailureReason, fail } from "../../failure/failure.ts";
import type { ProgramEnd } from "../run-program.ts";

/** Exit codes since restic 0.17. */
const reasonOfCode: Readonly<Record<number, FailureReason>> = {
  10: "REPOSITORY_MISSING",
  11: "REPOSITORY_LOCKED",
  12: "SECRET_WRONG",
};

/** Before that, every failure is 1 and its text says which. The first that matches counts. */
const reasonOfText: readonly (readonly [RegExp, FailureReason])[] = [
  [/wrong password or no key found|an empty password is not/i, "SECRET_WRONG"],
  [/repository is already locked|unable to create lock/i, "REPOSITORY_LOCKED"],
  [/No space left on device|Disk quota exceeded|Insufficient Storage/i, "NO_SPACE"],
  [
    /dial tcp|connection refused|no such host|i\/o timeout|network is unreachable|TLS handshake|x509:|ssh: |command exited|server response unexpected: 5\d\d/i,
    "REPOSITORY_UNREACHABLE",
  ],
  [/Is there a repository at the following location|repository does not exist/i, "REPOSITORY_MISSING"],
  [/no matching ID found|no snapshot found|snapshot .* not found/i, "ARCHIVE_GONE"],
  [
    /ciphertext verification failed|invalid data returned|not found in (?:repository|index)|errors? (?:were|was) found|contains errors|Load\(.*\) failed|load <|wrong hash|damaged|unexpected EOF|There were \d+ errors/i,
    "ARCHIVE_DAMAGED",
  ],
];

const remedyOf: Partial<Record<FailureReason, string>> = {
  SECRET_WRONG: "check the password that the destination's secret leads to",
  REPOSITORY_LOCKED:
    "wait for the end of the other program; restic unlock removes the lock of a machine that has crashed",
  REPOSITORY_MISSING: "mount the disk that it is on, or check its location",
};
const retryAfterMs = 30_000;

/** @throws FailureError unless the program ended with one of the codes */
export function checkResticEnd(
  end: ProgramEnd,
  { what, path }: { readonly what: string; readonly path?: string },
  codes: readonly number[] = [0],
): void {
  if (codes.includes(end.code)) return;
  const text = end.lastLines
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("{"))
    .join("; ");
  const reason = reasonOfCode[end.code] ?? reasonOfText.find(([pattern]) => pattern.test(text))?.[1] ?? "ENGINE_DIED";
  const remedy = remedyOf[reason];
  fail({
    reason,
    engine: "restic",
    ...(path !== undefined && { path }),
    ...(remedy !== undefined && { remedy }),
    ...(reason === "REPOSITORY_LOCKED" && { retryAfterMs }),
    message: `restic could not ${what} (exit code ${end.code}): ${text}`,
  });
}
