import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatFieldBlock, parseFieldBlock } from "./field-block.ts";

const parse = (text: string) => parseFieldBlock(Buffer.from(text));

describe("a block of header fields", () => {
  it("is parsed as it was formatted", () => {
    const fields = ["grpc-status", "0", "x-a", "b: c", "x-empty", ""];
    assert.deepEqual(parseFieldBlock(formatFieldBlock(fields)), fields);
    assert.deepEqual(parseFieldBlock(formatFieldBlock([])), []);
  });

  it("has lower-case names and trimmed values", () => {
    assert.deepEqual(parse("X-A:  b \r\n"), ["x-a", "b"]);
  });

  it("is refused if another parser could read it differently", () => {
    for (const text of [
      "x-a: b",
      "x a: b\r\n",
      ": b\r\n",
      "x-a\r\n",
      "x-a: b\n\r\n",
      "x-a: \u00e9\r\n",
      "x-a: b\r\n\r\n",
    ]) {
      assert.ok("problem" in parse(text), JSON.stringify(text));
    }
  });

  it("has at most 100 fields and 16 KiB", () => {
    assert.equal((parse("a: b\r\n".repeat(100)) as string[]).length, 200);
    assert.ok("problem" in parse("a: b\r\n".repeat(101)));
    const line = (length: number) => `a: ${"b".repeat(length - 5)}\r\n`;
    assert.equal((parse(line(16_384)) as string[]).length, 2);
    assert.ok("problem" in parse(line(16_385)));
  });
});
