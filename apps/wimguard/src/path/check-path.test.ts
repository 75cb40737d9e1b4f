import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FailureError } from "../failure/failure.ts";
import { checkPath, isInside, nameOfSource } from "./check-path.ts";

function reasonOf(path: string): string {
  try {
    checkPath("source", path);
  } catch (error) {
    assert.ok(error instanceof FailureError);
    assert.equal(error.failure.field, "source");
    return error.failure.reason;
  }
  return "none";
}

describe("checkPath", () => {
  it("requires a path", () => assert.equal(reasonOf(""), "FIELD_REQUIRED"));
  it("refuses a relative path", () => assert.equal(reasonOf("work"), "PATH_INVALID"));
  it("refuses NUL", () => assert.equal(reasonOf("/a\0b"), "PATH_INVALID"));
  it("allows a name of 255 bytes and refuses one of 256", () => {
    assert.equal(reasonOf(`/${"é".repeat(127)}a`), "none");
    assert.equal(reasonOf(`/${"é".repeat(128)}`), "PATH_INVALID");
  });
  it("allows a path of 4095 bytes and refuses one of 4096", () => {
    const path = `/${"abcdefgh/".repeat(455)}`.slice(0, 4095);
    assert.equal(path.length, 4095);
    assert.equal(reasonOf(path), "none");
    assert.equal(reasonOf(`${path}x`), "PATH_INVALID");
  });
  it("returns the normal form", () => {
    assert.equal(checkPath("source", "/a/./b//c/../d/"), "/a/b/d");
    assert.equal(checkPath("source", "/.."), "/");
  });
});

describe("nameOfSource", () => {
  it("is the last part, and / for the root", () => {
    assert.equal(nameOfSource("/home/ada/work"), "work");
    assert.equal(nameOfSource("/"), "/");
  });
});

describe("isInside", () => {
  it("compares whole names", () => {
    assert.equal(isInside("/home/ada", ["/home/ad"]), false);
    assert.equal(isInside("/home/ada", ["/srv", "/home/ada"]), true);
    assert.equal(isInside("/home/ada/x", ["/home/ada"]), true);
    assert.equal(isInside("/x", ["/"]), true);
    assert.equal(isInside("/x", []), false);
  });
});
