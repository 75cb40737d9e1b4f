import { type Failure, fail } from "../../failure/failure.ts";
import type { ProgramEnd } from "../run-program.ts";

/** What wimlib reports of a file that is not what wimlib wrote: headers, tables, hashes, metadata, XML, and an end that comes too early. */
const damageCodes = [2, 13, 17, 18, 19, 20, 21, 25, 26, 27, 28, 30, 36, 43, 55, 65, 67, 69, 73, 84] as const;

/** Exit codes of wimlib-imagex, which are wimlib's error numbers, with what they mean here. */
const reasonOfCode: Readonly<Record<number, Failure["reason"]>> = {
  ...Object.fromEntries(damageCodes.map((code) => [code, "ARCHIVE_DAMAGED"])),
  31: "NAME_UNSUPPORTED",
  47: "UNREADABLE",
  48: "UNREADABLE",
  49: "PATH_NOT_IN_ARCHIVE",
  50: "UNREADABLE",
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

/** WIMLIB_ERR_READ. */
const readCode = 50;

/** The file that ended a capture because the disk could not read it; undefined for another end. */
export function unreadableFile({
  code,
  lastLines,
}: ProgramEnd): { readonly place: string; readonly cause: string } | undefined {
  if (code !== readCode) return undefined;
  for (const line of lastLines) {
    const [, place, cause] = /^\[ERROR\] "(.+)": Error reading data: (.+)$/.exec(line.trim()) ?? [];
    if (place !== undefined && cause !== undefined) return { place, cause: cause.toLowerCase() };
  }
  return undefined;
}
