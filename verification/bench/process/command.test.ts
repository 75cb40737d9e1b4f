import assert from "node:assert/strict";
import { test } from "node:test";
import { lastWords, runCommand } from "./command.ts";

test("returns the stdout of the program", async () => {
  assert.equal(await runCommand([process.execPath, "--print", "6 * 7"]), "42\n");
});

test("names a program that is not installed", async () => {
  await assert.rejects(runCommand(["no-such-program-anywhere"]), /^Error: no-such-program-anywhere is not installed$/);
});

test("the error of a failed program has its exit code and the end of its output", async () => {
  await assert.rejects(
    runCommand([process.execPath, "--eval", "console.error('no such flag'); process.exitCode = 3"]),
    /ended with exit code 3: no such flag$/,
  );
});

test("quotes five lines at most", () => {
  assert.equal(lastWords("1\n2\n3\n4\n5\n"), "1 / 2 / 3 / 4 / 5");
  assert.equal(lastWords("0\n1\n2\n3\n4\n5"), "1 / 2 / 3 / 4 / 5");
});

test("quotes the error of a Node program without its stack", () => {
  const output =
    "file:///server.ts:2\nimport x\n       ^\nSyntaxError: no export x\n    at link (node:internal:1:2)\n\nNode.js v24.21.0\n";
  assert.equal(lastWords(output), "file:///server.ts:2 / import x / ^ / SyntaxError: no export x");
});
