import { readFileSync } from "node:fs";
import { join } from "node:path";
import { listFiles } from "../source-files.ts";
import { isLong } from "./long-tests.ts";

export interface SelectedFiles {
  readonly files: string[];
  /** Whether to select the long files. */
  readonly leftOut: string[];
}

/**
 * Returns the test files of the repository whose path contains any of the words. Without words: all except long ones, or with `longOnly` the long ones.
 */
export function selectTestFiles(root: string, words: readonly string[], longOnly = false): SelectedFiles {
  const all = listFiles(root).filter((file) => /\.test\.[cm]?[jt]s$/.test(file));
  const named = all.filter((file) => words.length === 0 || words.some((word) => file.includes(word)));
  if (words.length > 0 && !longOnly) return { files: named, leftOut: [] };
  const isLongFile = (file: string): boolean => isLong(readFileSync(join(root, file), "utf8"));
  const long = named.filter(isLongFile);
  if (longOnly) return { files: long, leftOut: [] };
  return { files: named.filter((file) => !long.includes(file)), leftOut: long };
}
