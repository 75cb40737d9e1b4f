import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { withNamedExports } from "./named-exports.ts";

describe("a module that was loaded by import()", () => {
  it("has the named exports of a CommonJS package that a bundler left with its default export", () => {
    class Redis {}
    const whole = { Redis };
    Object.defineProperty(whole, "native", { get: () => assert.fail("it loads more") });
    const module = withNamedExports({ default: whole } as { default: typeof whole; Redis?: typeof Redis });
    assert.equal(module.Redis, Redis);
    assert.equal(module.default, whole);
  });

  it("has them where the default export is a function", () => {
    const pino = Object.assign(() => "a log", { pino: "named" });
    const module = withNamedExports({ default: pino } as { default: typeof pino; pino?: string });
    assert.equal(module.pino, "named");
    assert.equal(module.default(), "a log");
  });

  it("is left as it is when it has named exports, or no default export that could have some", () => {
    for (const module of [{ default: {}, a: 1 }, { a: 1 }, { default: 1 }, { default: null }, {}]) {
      assert.equal(withNamedExports(module), module);
    }
  });
});
