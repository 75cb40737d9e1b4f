import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { runProgram } from "@tercel/test-support/programs";

test("a file arrives whole, and what is refused leaves nothing", () => {
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
