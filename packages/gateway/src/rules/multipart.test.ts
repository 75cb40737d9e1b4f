import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConnectError } from "@connectrpc/connect";
import { parseMultipart } from "./multipart.ts";

const type = "multipart/form-data; boundary=b";
const part = (name: string, data: string, fields = "") =>
  `--b\r\ncontent-disposition: form-data; name="${name}"\r\n${fields}\r\n${data}\r\n`;
const read = (text: string, contentType = type) =>
  [...parseMultipart(contentType, Buffer.from(text))].map((one) => [
    one.name,
    one.contentType,
    Buffer.from(one.data).toString(),
  ]);

describe("parseMultipart", () => {
  it("returns name, type and bytes of each part", () => {
    const text = `${part("a", "1")}${part("b.c", "", "Content-Type: Image/PNG; x=y\r\n")}${part("d", "\r\n--\r\n--c\r\n")}--b--\r\n`;
    assert.deepEqual(read(text), [
      ["a", "text/plain", "1"],
      ["b.c", "image/png", ""],
      ["d", "text/plain", "\r\n--\r\n--c\r\n"],
    ]);
    assert.deepEqual(read("--b--"), []);
  });

  it("accepts a boundary with or without quotes, and names with the escapes of browsers", () => {
    const text =
      '--a b\r\nContent-Disposition: Form-Data; filename="f;name=x"; NAME="q%22\\"\u00e9"\r\n\r\n1\r\n--a b--';
    assert.deepEqual(read(text, 'multipart/form-data; charset=x; Boundary="a b"'), [['q""\u00e9', "text/plain", "1"]]);
  });

  it("returns views of the body instead of copies", () => {
    const body = Buffer.from(`${part("a", "x".repeat(100_000)).repeat(3)}--b--`);
    for (const { data } of parseMultipart(type, body)) assert.equal(data.buffer, body.buffer);
  });

  for (const [title, text, contentType] of [
    ["no boundary", "--b--", "multipart/form-data"],
    ["an empty boundary", "----", "multipart/form-data; boundary="],
    ["two boundaries", "--b--", "multipart/form-data; boundary=b; boundary=c"],
    ["a boundary that is too long", `--${"b".repeat(71)}--`, `multipart/form-data; boundary=${"b".repeat(71)}`],
    ["another boundary", "--c--"],
    ["something before the first part", `x${part("a", "1")}--b--`],
    ["a boundary that continues", `${part("a", "1")}--bc--`],
    ["no end", part("a", "1")],
    ["an end inside a head", "--b\r\ncontent-disposition: form-data; name=a\r\n"],
    ["lines that end without CR", part("a", "1").replaceAll("\r\n", "\n")],
    ["a part without a head", "--b\r\n\r\n1\r\n--b--"],
    ["a part without a name", "--b\r\ncontent-disposition: form-data; filename=a\r\n\r\n1\r\n--b--"],
    ["a part that is not of a form", "--b\r\ncontent-disposition: attachment; name=a\r\n\r\n1\r\n--b--"],
    ["a part with two names", "--b\r\ncontent-disposition: form-data; name=a; name=b\r\n\r\n1\r\n--b--"],
    ["a line end without CR in a head", part("a", "1", "x: y\nz: a\r\n")],
    ["a head that is not one", "--b\r\nnothing\r\n\r\n1\r\n--b--"],
    ["a folded line", part("a", "1", "x: y\r\n z: a\r\n").replace(" z:", " z")],
    ["a part in base64", part("a", "MQ==", "content-transfer-encoding: base64\r\n")],
    ["a head of more than 4 KiB", `${part("a", "1", `x: ${"y".repeat(4096)}\r\n`)}--b--`],
    ["more than 16 fields", `${part("a", "1", "x: y\r\n".repeat(16))}--b--`],
    ["more than 100 parts", `${part("a", "1").repeat(101)}--b--`],
  ] as [string, string, string?][]) {
    it(`refuses ${title}`, () => {
      assert.throws(() => read(text, contentType), ConnectError);
    });
  }

  it("reads only as many parts as requested", () => {
    const [first] = parseMultipart(type, Buffer.from(`${part("a", "1")}--b\r\nnothing`));
    assert.equal(first?.name, "a");
  });

  it("accepts 100 parts, and 16 header fields in each", () => {
    assert.equal(read(`${part("a", "1", "x: y\r\n".repeat(15)).repeat(100)}--b--`).length, 100);
  });
});
