import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { runProgram } from "@tercel/test-support/programs";

test("stores a complete file, and nothing of a refused one", () => {
  assert.deepEqual(
    runProgram(join(import.meta.dirname, "main.ts"), [])
      .trimEnd()
      .split("\n"),
    [
      "sent 1000000 bytes, which arrived as they were: true",
      "DataLoss: the file was damaged on its way",
      "AlreadyExists: photo.raw exists already",
      "InvalidArgument: name is a file name without a folder",
      "in the inbox: photo.raw",
    ],
  );
});
