import { type Failure, fail } from "../../failure/failure.ts";
import type { ProgramEnd } from "../run-program.ts";

/** Exit codes of wimlib-imagex, which are wimlib's error numbers, with what they mean here. */
const reasonOfCode: Readonly<Record<number, Failure["reason"]>> = {
  2: "ARCHIVE_DAMAGED",
  13: "ARCHIVE_DAMAGED",
  14: "ARCHIVE_DAMAGED",
  31: "NAME_UNSUPPORTED",
  35: "ARCHIVE_DAMAGED",
  43: "ARCHIVE_DAMAGED",
  47: "UNREADABLE",
  48: "UNREADABLE",
  49: "PATH_NOT_IN_ARCHIVE",
  50: "UNREADABLE",
  65: "ARCHIVE_DAMAGED",
  69: "ARCHIVE_DAMAGED",
  84: "ARCHIVE_DAMAGED",
};

/** @throws FailureError unless the program ended with 0 */
export function checkWimEnd(end: ProgramEnd, what: string): void {
  if (end.code === 0) return;
  const lines = end.lastLines.map((line) => line.trim()).filter((line) => line !== "");
  const isFull = lines.some((line) => /No space left on device|Disk quota exceeded/.test(line));
  const reason = isFull ? "NO_SPACE" : (reasonOfCode[end.code] ?? "ENGINE_DIED");
  const remedy = reason === "NAME_UNSUPPORTED" ? "; back up to a .tar.zst file instead" : "";
  fail({
    reason,
    engine: "wim",
    message: `wimlib-imagex could not ${what} (error ${end.code}): ${lines.join(" ")}${remedy}`,
  });
}
