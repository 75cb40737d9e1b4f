import { listFiles } from "../source-files.ts";

/** The test files of the repository whose path contains any of the words; without words all of them. */
export function selectTestFiles(root: string, words: readonly string[]): string[] {
  return listFiles(root)
    .filter((file) => /\.test\.[cm]?[jt]s$/.test(file))
    .filter((file) => words.length === 0 || words.some((word) => file.includes(word)));
}
