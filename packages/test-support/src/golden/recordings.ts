import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { Transcript } from "./transcript.ts";

/** The recordings of one test file, in a folder of the same name next to it. */
export interface Recordings {
  /**
   * Defines a test that plays a connection and compares the transcript with the recording `NAME.txt`. `promise` is the name of the test and the
   * first line of the recording.
   */
  record(name: string, promise: string, play: (transcript: Transcript, test: TestContext) => Promise<void>): void;
}

const isUpdating = process.env.UPDATE_GOLDEN === "1";

/**
 * Opens the recordings of the test file `testFile`. With UPDATE_GOLDEN=1 they are written instead of compared. A recording without a test fails
 * the file, or is deleted with UPDATE_GOLDEN=1.
 */
export function openRecordings(testFile: string): Recordings {
  const folder = testFile.replace(/\.test\.ts$/, "");
  const names = new Set<string>();
  if (isUpdating) mkdirSync(folder, { recursive: true });
  // Not a separate test, because --test-name-pattern could skip it unnoticed.
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

/** The folders of recordings whose test file no longer exists. */
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

/** Returns the first lines that differ, with the lines after them. */
function firstDifference(expected: readonly string[], actual: readonly string[]): string {
  let at = 0;
  while (expected[at] === actual[at]) at++;
  const recorded = expected.slice(at, at + shownLines).map((line) => `- ${line}`);
  const written = actual.slice(at, at + shownLines).map((line) => `+ ${line}`);
  return [`line ${at + 1}, - recorded, + written:`, ...recorded, ...written].join("\n");
}
