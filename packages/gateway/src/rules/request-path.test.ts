import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeMulti, parseRequestPath } from "./request-path.ts";

describe("the path of a request", () => {
  it("is split before decoding", () => {
    assert.deepEqual(parseRequestPath("/a%2Fb/c%20d"), { raw: ["a%2Fb", "c%20d"], decoded: ["a/b", "c d"] });
    assert.deepEqual(parseRequestPath("/"), { raw: [], decoded: [] });
    assert.deepEqual(parseRequestPath("/a//b/"), { raw: ["a", "", "b", ""], decoded: ["a", "", "b", ""] });
  });

  it("keeps plus signs and backslashes", () => {
    assert.deepEqual(parseRequestPath("/a+b/c\\d"), { raw: ["a+b", "c\\d"], decoded: ["a+b", "c\\d"] });
  });

  for (const path of ["/a/../b", "/a/%2e%2E/b", "/a/./b", "/a/%2E", "/.."]) {
    it(`is refused with a dot segment: ${path}`, () => {
      assert.deepEqual(parseRequestPath(path), { problem: "the path has a segment of dots" });
    });
  }

  it("may have segments that contain dots and other text", () => {
    for (const path of ["/...", "/a/..b", "/a/%2e%2ea"]) assert.ok("raw" in parseRequestPath(path), path);
  });

  for (const path of ["/a%", "/a%2", "/a%zz", "/%c3%28", "/%ff", "/%ed%a0%80"]) {
    it(`is refused with an escape that is not UTF-8: ${path}`, () => {
      assert.deepEqual(parseRequestPath(path), { problem: "the path has an invalid escape" });
    });
  }

  it("is refused with a null character, and without a leading slash", () => {
    assert.deepEqual(parseRequestPath("/a%00b"), { problem: "the path has a null character" });
    assert.deepEqual(parseRequestPath("a/b"), { problem: "the path has to begin with /" });
    assert.deepEqual(parseRequestPath("http://a/b"), { problem: "the path has to begin with /" });
  });
});

describe("a value of several segments", () => {
  it("is decoded except for escaped slashes", () => {
    assert.equal(decodeMulti(["a%20b", "c%2Fd", "e%2ff%C3%A9"]), "a b/c%2Fd/e%2ffé");
    assert.equal(decodeMulti(["a", ""]), "a/");
    assert.equal(decodeMulti([]), "");
  });
});
