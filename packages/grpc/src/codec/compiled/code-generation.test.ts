import assert from "node:assert/strict";
import { test } from "node:test";

/** A copy of the module that has not tried yet. */
async function freshModule(name: string): Promise<typeof import("./code-generation.ts")> {
  return await import(`./code-generation.ts?${name}`);
}

/** Called with `new`, so not an arrow function. */
function failWith(error: Error) {
  return function fail() {
    throw error;
  };
}

test("takes an EvalError for a process that forbids code from strings", async (t) => {
  const { mayGenerateCode } = await freshModule("forbidden");
  t.mock.method(globalThis, "Function", failWith(new EvalError("Code generation from strings disallowed")));
  assert.equal(mayGenerateCode(), false);
});

test("hides no other error, and tries again", async (t) => {
  const { mayGenerateCode } = await freshModule("broken");
  const { mock } = t.mock.method(globalThis, "Function", failWith(new RangeError("Maximum call stack size exceeded")));
  assert.throws(mayGenerateCode, RangeError);
  mock.restore();
  assert.equal(mayGenerateCode(), true);
});
