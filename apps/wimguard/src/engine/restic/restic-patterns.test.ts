import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { FailureError } from "../../failure/failure.ts";
import { formatExcludes, formatIncludes, toGoText } from "./restic-patterns.ts";

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");

describe("patterns for restic", () => {
  it("match a path and nothing else: wildcards and variables are escaped", () => {
    const { lines, args } = formatExcludes("/a b", [bytes("*?[x]"), bytes("$HOME/y"), bytes("back\\slash")]);
    assert.equal(lines.toString(), "/a b/\\*\\?\\[x]\n/a b/$$HOME/y\n/a b/back\\\\slash\n");
    assert.deepEqual(args, []);
  });

  it("are options where a line would be trimmed or cut", () => {
    const { lines, args } = formatExcludes("/", [bytes("a "), bytes("b\nc"), bytes("\xff")]);
    assert.deepEqual([...lines], [...bytes("/\xff\n")]);
    assert.deepEqual(args, ["--exclude=/a ", "--exclude=/b\nc"]);
    assert.throws(
      () => formatExcludes("/", [bytes("\xff\n")]),
      (error) => error instanceof FailureError && error.failure.reason === "NAME_UNSUPPORTED",
    );
  });

  it("have a wildcard for each byte that an option cannot have", () => {
    assert.deepEqual(formatIncludes("/a", [bytes("\xff\xfe[")]), ["--include=/a/??\\["]);
  });

  it("name bytes as Go does", () => {
    assert.equal(toGoText(Buffer.from("ü€😀")), "ü€😀");
    assert.equal(toGoText(bytes("a\xe2\x82b\xff")), "a\ufffd\ufffdb\ufffd");
  });
});
