import assert from "node:assert/strict";
import { it } from "node:test";
import { LineSplitter } from "./line-splitter.ts";

function linesOf(...pieces: readonly string[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const piece of pieces) splitter.push(piece);
  splitter.end();
  return lines;
}

it("makes lines of pieces, wherever they were cut, and keeps empty ones", () => {
  assert.deepEqual(linesOf("one\ntw", "o\r\n", "\nth", "ree"), ["one", "two", "", "three"]);
  assert.deepEqual(linesOf("one\n"), ["one"]);
  assert.deepEqual(linesOf(), []);
});

it("cuts a line that never ends, and loses nothing of it", () => {
  const lines = linesOf("x".repeat(50_000), "x".repeat(50_000), "x".repeat(50_000));
  assert.deepEqual(
    lines.map(({ length }) => length),
    [65_536, 65_536, 18_928],
  );
});
