import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { findMadeErrors } from "./made-errors.ts";

const root = dirname(dirname(import.meta.dirname));
const page = readFileSync(join(root, "docs/errors.md"), "utf8");

/** The first two cells of each row. */
const rows = page
  .split("\n")
  .filter((line) => /^\| (?!code |-)/.test(line))
  .map((line) =>
    line
      .split(" | ")
      .slice(0, 2)
      .map((cell) => cell.replace(/^\| /, "").trim()),
  );
const listedTexts = new Set(rows.filter(([, cell]) => !cell?.startsWith("`packages/")).map((row) => row.join(" | ")));
const listedFiles = new Set(rows.flatMap(([, cell]) => (cell?.startsWith("`packages/") ? [cell.slice(1, -1)] : [])));

// Templates are code for other projects.
const files = globSync("packages/*/src/**/*.ts", { cwd: root }).filter(
  (file) =>
    !/\/(gen|templates|testing)\//.test(file) &&
    !file.endsWith(".test.ts") &&
    !file.startsWith("packages/grpc/src/errors/"),
);
const made = files.flatMap((file) => findMadeErrors(root, file));
const madeTexts = new Map(
  made.filter(({ message }) => message !== "…").map((one) => [`${one.code} | ${one.message}`, one.file]),
);
const passedOn = new Set(made.filter(({ message }) => message === "…").map(({ file }) => file));

describe("docs/errors.md", () => {
  it("finds errors in the sources at all", () => {
    assert.ok(madeTexts.size > 50);
    assert.ok(passedOn.size > 5);
  });

  it("lists every error of the sources", () => {
    const missing = [...madeTexts].filter(([text]) => !listedTexts.has(text));
    assert.deepEqual(missing, []);
  });

  it("lists every file that composes texts", () => {
    assert.deepEqual(
      [...passedOn].filter((file) => !listedFiles.has(file)),
      [],
    );
  });

  it("lists no error that the sources do not have", () => {
    assert.deepEqual(
      [...listedTexts].filter((text) => !madeTexts.has(text)),
      [],
    );
    assert.deepEqual(
      [...listedFiles].filter((file) => !passedOn.has(file)),
      [],
    );
  });
});
