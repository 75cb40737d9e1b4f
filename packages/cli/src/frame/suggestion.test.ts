import assert from "node:assert/strict";
import { it } from "node:test";
import { suggestNearest, suggestOneOf, withSuggestion } from "./suggestion.ts";

const known = ["memory", "redis"];

it("suggests the nearest known name, written as the text around it needs it", () => {
  assert.equal(suggestNearest("reddis", known), "did you mean redis?");
  assert.equal(suggestNearest("reddis", known, JSON.stringify), 'did you mean "redis"?');
  assert.equal(suggestNearest("postgres", known), undefined);
});

it("lists the known names where none is near", () => {
  assert.equal(suggestOneOf("memry", known), "did you mean memory?");
  assert.equal(suggestOneOf("postgres", known), "expected one of memory, redis");
});

it("says only what is wrong where there is nothing to suggest", () => {
  assert.equal(withSuggestion("unknown cache", suggestNearest("reddis", known)), "unknown cache; did you mean redis?");
  assert.equal(withSuggestion("unknown cache", undefined), "unknown cache");
});
