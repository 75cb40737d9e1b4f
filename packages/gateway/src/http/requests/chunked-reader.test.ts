import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ChunkedReader } from "./chunked-reader.ts";

/** Returns the content of a body and the bytes after it; undefined if it is refused. `pieces`: the received pieces. */
function read(pieces: readonly string[]): { readonly data: string; readonly rest: string | undefined } | undefined {
  const reader = new ChunkedReader();
  let data = "";
  let rest: string | undefined;
  for (const piece of pieces) {
    const bytes = Buffer.from(piece, "latin1");
    const end = reader.push(bytes, 0, (part) => {
      data += Buffer.from(part).toString("latin1");
    });
    if (end === -1) return undefined;
    if (reader.isComplete) rest = (rest ?? "") + bytes.subarray(end).toString("latin1");
  }
  return { data, rest };
}

const whole = '5;a=b;c;d="e \\" f"\r\nhello\r\n1\r\n \r\n00A\r\n0123456789\r\n0;last\r\nX-Sum: 1\r\nY:\r\n\r\nGET /';

describe("a chunked body", () => {
  it("ends after its last chunk and trailers", () => {
    assert.deepEqual(read([whole]), { data: "hello 0123456789", rest: "GET /" });
    assert.deepEqual(read(["0\r\n\r\n"]), { data: "", rest: "" });
  });

  it("has the same content however it is split", () => {
    const expected = { data: "hello 0123456789", rest: "GET /" };
    for (let at = 0; at <= whole.length; at++) {
      assert.deepEqual(read([whole.slice(0, at), whole.slice(at)]), expected, `at ${at}`);
    }
    assert.deepEqual(read([...whole]), expected);
  });

  it("is passed on in as few pieces as received, however small its chunks are", () => {
    const pieces: string[] = [];
    const push = (text: string) =>
      new ChunkedReader().push(Buffer.from(text), 0, (data) => pieces.push(Buffer.from(data).toString("latin1")));
    push(`${"1\r\na\r\n".repeat(1000)}2\r\nbc\r\n0\r\n\r\n`);
    assert.deepEqual(pieces.splice(0), [`${"a".repeat(1000)}bc`]);
    // Copying a large piece would cost more than another call.
    push(`1\r\na\r\n1000\r\n${"b".repeat(4096)}\r\n1\r\nc\r\n0\r\n\r\n`);
    assert.deepEqual(pieces, ["a", `${"b".repeat(4096)}c`]);
  });

  it("is incomplete before its last byte", () => {
    assert.deepEqual(read(["5\r\nhel"]), { data: "hel", rest: undefined });
    assert.deepEqual(read(["0\r\n\r"]), { data: "", rest: undefined });
  });

  for (const [title, text] of [
    ["a size that is not a number", "x\r\n"],
    ["no size", "\r\n"],
    ["a size with a sign", "+5\r\nhello\r\n"],
    ["a size with 0x", "0x5\r\nhello\r\n"],
    ["a blank before the size", " 5\r\nhello\r\n"],
    ["a blank after the size", "5 \r\nhello\r\n"],
    ["nine digits", "000000005\r\nhello\r\n"],
    ["a line end without CR", "5\nhello\r\n"],
    ["a line end without LF", "5\rhello\r\n"],
    ["data that is longer than its size", "4\r\nhello\r\n"],
    ["data that ends without CR", "5\r\nhello\n"],
    ["an extension without a name", "5;\r\nhello\r\n"],
    ["an extension without a value", "5;a=\r\nhello\r\n"],
    ["a blank in an extension", "5;a b\r\nhello\r\n"],
    ["an extension in quotes that do not end", '5;a="b\r\nhello\r\n'],
    ["something after an extension's quotes", '5;a="b"c\r\nhello\r\n'],
    ["a control character in an extension", '5;a="\x01"\r\nhello\r\n'],
    ["a line end in an extension", "5;a\nb\r\nhello\r\n"],
    ["a trailer without a name", "0\r\n: a\r\n\r\n"],
    ["a trailer that continues the one before", "0\r\na: b\r\n c\r\n\r\n"],
    ["a trailer with a blank before its colon", "0\r\na : b\r\n\r\n"],
    ["a trailer that says how long the body is", "0\r\nX: 1\r\nContent-Length: 5\r\n\r\n"],
    ["a trailer that says how the body is coded", "0\r\ntransfer-encoding: chunked\r\n\r\n"],
    ["a trailer that ends without CR", "0\r\na: b\n\r\n"],
  ] as const) {
    it(`is refused with ${title}`, () => {
      assert.equal(read([text]), undefined);
      assert.equal(read([...text]), undefined);
    });
  }

  it("is limited to 4 KiB of chunk extensions in total", () => {
    const chunk = (extension: number) => `1;${"e".repeat(extension)}\r\na\r\n`;
    // Includes the CR at the end of each.
    assert.equal(read([chunk(2047), chunk(2047), "0\r\n\r\n"])?.data, "aa");
    assert.equal(read([chunk(2047), chunk(2048)]), undefined);
  });

  it("is limited to 100 trailers and 16 KiB of trailers", () => {
    assert.equal(read([`0\r\n${"a: b\r\n".repeat(100)}\r\n`])?.rest, "");
    assert.equal(read([`0\r\n${"a: b\r\n".repeat(101)}\r\n`]), undefined);
    assert.equal(read([`0\r\na: ${"b".repeat(16_384)}\r\n\r\n`]), undefined);
  });
});
