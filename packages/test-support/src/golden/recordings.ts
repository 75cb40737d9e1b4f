import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { Transcript } from "./transcript.ts";

/** The recordings of one test file, in a folder of the same name next to it. */
export interface Recordings {
  /**
   * Defines a test that plays a connection and compares the transcript with the recording `NAME.txt`. `promise` is the test's name,
   * and the recording's first line.
   */
  record(name: string, promise: string, play: (transcript: Transcript, test: TestContext) => Promise<void>): void;
}

const isUpdating = process.env.UPDATE_GOLDEN === "1";

/**
 * Opens the recordings of the test file `testFile`. With UPDATE_GOLDEN=1 they are written and not compared. A recording that no test of
 * the file names fails the file, or is deleted when recordings are written.
 */
export function openRecordings(testFile: string): Recordings {
  const folder = testFile.replace(/\.test\.ts$/, "");
  const names = new Set<string>();
  if (isUpdating) mkdirSync(folder, { recursive: true });
  // Not a test of its own: --test-name-pattern could leave it out, and the absence would go unnoticed.
  after(() => {
    const unused = [
      ...readdirSync(folder).filter((file) => !names.has(file)),
      ...foldersWithoutTest(dirname(folder)).map((name) => join("..", name)),
    ].map((path) => join(folder, path));
    if (isUpdating) for (const path of unused) rmSync(path, { recursive: true, force: true });
    else assert.deepEqual(unused, [], "these recordings are used by no test; delete them");
  });
  return {
    record(name, promise, play) {
      const file = `${name}.txt`;
      assert.ok(!names.has(file), `two recordings are called ${name}`);
      names.add(file);
      test(promise, async (context) => {
        const transcript = new Transcript();
        await play(transcript, context);
        compare(join(folder, file), `# ${promise}\n\n${transcript}`);
      });
    },
  };
}

/** The folders of recordings whose test file is gone. */
function foldersWithoutTest(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !existsSync(join(folder, `${entry.name}.test.ts`)))
    .map(({ name }) => name);
}

function compare(path: string, actual: string): void {
  if (isUpdating) {
    writeFileSync(path, actual);
    return;
  }
  const hint = "run UPDATE_GOLDEN=1 npm test -- golden and read the diff, if the change is on purpose";
  assert.ok(existsSync(path), `${path} is missing: ${hint}`);
  const expected = readFileSync(path, "utf8");
  if (actual === expected) return;
  assert.fail(`${path} is not what was written; ${hint}\n${firstDifference(expected.split("\n"), actual.split("\n"))}`);
}

const shownLines = 6;

/** The first lines that differ, and those after them. */
function firstDifference(expected: readonly string[], actual: readonly string[]): string {
  let at = 0;
  while (expected[at] === actual[at]) at++;
  const recorded = expected.slice(at, at + shownLines).map((line) => `- ${line}`);
  const written = actual.slice(at, at + shownLines).map((line) => `+ ${line}`);
  return [`line ${at + 1}, - recorded, + written:`, ...recorded, ...written].join("\n");
}
