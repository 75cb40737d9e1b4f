import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readEnvironmentName } from "./environment-name.ts";

describe("readEnvironmentName", () => {
  test("goes by TERCEL_ENV, then by NODE_ENV, then it is development", () => {
    assert.equal(readEnvironmentName({ TERCEL_ENV: "staging", NODE_ENV: "test" }, "TERCEL").name, "staging");
    assert.equal(readEnvironmentName({ TERCEL_ENV: "", NODE_ENV: "test" }, "TERCEL").name, "test");
    assert.equal(readEnvironmentName({}, "TERCEL").name, "development");
    assert.equal(readEnvironmentName({ SHOP_ENV: "staging", TERCEL_ENV: "test" }, "SHOP").name, "staging");
  });

  test("takes every name but development and test for production", () => {
    for (const [name, isProduction] of [
      ["development", false],
      ["test", false],
      ["production", true],
      ["staging", true],
      ["Development", true],
      ["dev", true],
    ] as const) {
      assert.equal(readEnvironmentName({ TERCEL_ENV: name }, "TERCEL").isProduction, isProduction, name);
    }
  });

  for (const name of ["../etc", "a b", "-x", "a/b", "é"]) {
    test(`refuses ${name}, which is no name of an overlay`, () => {
      assert.throws(() => readEnvironmentName({ NODE_ENV: name }, "TERCEL"), /^RangeError: variable NODE_ENV is /);
    });
  }
});
