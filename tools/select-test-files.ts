import { listFiles } from "./source-files.ts";

const foldersWithTests = ["packages", "apps", "tools", "test", "bench", "conformance", "examples", "fuzz"];

/** The test files of the house whose path contains any of the words; without words all of them. */
export function selectTestFiles(root: string, words: readonly string[]): string[] {
  return foldersWithTests
    .flatMap((folder) => listFiles(root, folder))
    .filter((file) => /\.test\.[cm]?[jt]s$/.test(file))
    .filter((file) => words.length === 0 || words.some((word) => file.includes(word)));
}
