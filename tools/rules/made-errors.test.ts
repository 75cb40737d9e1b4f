import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { findMadeErrors } from "./made-errors.ts";

function find(source: string): string[] {
  const root = mkdtempSync(join(tmpdir(), "tercel-errors-"));
  try {
    writeFileSync(join(root, "a.ts"), source);
    return findMadeErrors(root, "a.ts").map(({ code, message }) => `${code}: ${message}`);
  } finally {
    rmSync(root, { recursive: true });
  }
}

const imported = 'import { notFound } from "@tercel/grpc/errors";\n';

test("reads the text and code of a ConnectError", () => {
  assert.deepEqual(find('throw new ConnectError("no \\"x\\", sorry", Code.NotFound, undefined);'), [
    'NotFound: no "x", sorry',
  ]);
});

test("replaces inserted values with …, also in nested templates", () => {
  assert.deepEqual(find(`new ConnectError(\`a \${b(\`c \${d}\`)} e\`, Code.Internal)`), ["Internal: a … e"]);
  assert.deepEqual(find(`new ConnectError("a" + \`b \${c}\`, Code.Internal)`), ["Internal: ab …"]);
  assert.deepEqual(find('new ConnectError("a" + b, Code.Internal)'), ["Internal: a…"]);
});

test("finds texts and codes that are computed at run time", () => {
  assert.deepEqual(find("new ConnectError(text, codeOf(text))"), ["…: …"]);
  assert.deepEqual(find('new ConnectError("x")'), ["Unknown: x"]);
});

test("reads the functions that create errors, where they are imported", () => {
  assert.deepEqual(find(`${imported}notFound("gone"); notFound({ resource: "x", message: "left" });`), [
    "NotFound: gone",
    "NotFound: left",
  ]);
  assert.deepEqual(find(`${imported}notFound({ violations });`), ["NotFound: …"]);
  assert.deepEqual(find('notFound("another function of that name");'), []);
});

test("ignores comments", () => {
  assert.deepEqual(find('/**\n * `new ConnectError("x", Code.Internal)`\n */'), []);
});
