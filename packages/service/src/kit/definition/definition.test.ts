import assert from "node:assert/strict";
import { test } from "node:test";
import { defineService } from "./definition.ts";
import { normalizeDefinition } from "./normalize-definition.ts";

const routes = (): void => {};
const need = { concern: "database", prepare: () => ({ port: undefined }) };

test("a definition is what it was given", () => {
  const definition = { needs: { db: need }, routes };
  assert.equal(defineService(definition), definition);
  assert.equal(normalizeDefinition(definition), definition);
});

for (const [what, given, message] of [
  ["what is not an object", null, /defineService: invalid definition: expected an object with routes/],
  ["an unknown key", { routes, need: {} }, /defineService: unknown option "need"; did you mean "needs"\?/],
  ["missing routes", {}, /defineService: routes must be a function that takes a router/],
  [
    "a need with the name of a part that every service has",
    { routes, needs: { log: need } },
    /reserved name needs\.log/,
  ],
  ["a need that is not one", { routes, needs: { db: () => need } }, /needs\.db is not a need, such as database\(\)/],
  [
    "a background task that is not a function",
    { routes, background: { sweep: 1 } },
    /background\.sweep must be a function/,
  ],
] as const) {
  test(`a definition is refused when it is used: ${what}`, () => {
    assert.throws(() => normalizeDefinition(defineService(given as never)), message);
  });
}
