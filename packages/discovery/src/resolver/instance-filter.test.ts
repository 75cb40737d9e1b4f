import assert from "node:assert/strict";
import { test } from "node:test";
import { createInstance } from "../port/instance.ts";
import { matchesVersion, parseInstanceFilter } from "./instance-filter.ts";

const instance = createInstance({
  name: "orders",
  address: "a",
  port: 1,
  version: "v1.4.0",
  metadata: { zone: "eu-1", tier: "gold" },
});

const rows: [query: string, isMatch: boolean][] = [
  ["", true],
  ["version=v1", true],
  ["version=v2", false],
  ["zone=eu-1", true],
  ["zone=eu", false],
  ["metadata.tier=gold", true],
  ["metadata.tier=", false],
  ["metadata.toString=x", false],
  ["version=v1&zone=eu-2", false],
  ["version=v2&version=v1", true],
];
for (const [query, isMatch] of rows) {
  test(`"${query}" ${isMatch ? "matches" : "does not match"} v1.4.0 in eu-1`, () => {
    assert.equal(parseInstanceFilter(query)(instance), isMatch);
  });
}

test("a version matches the versions below it, part by part", () => {
  for (const have of ["v1", "1", "v1.0.0", "1.4", "v1-rc.1", "1+build"]) assert.ok(matchesVersion(have, "v1"), have);
  for (const have of ["v10", "v2", "", "v", "1x"]) assert.ok(!matchesVersion(have, "v1"), have);
  assert.ok(matchesVersion("", ""));
  assert.ok(!matchesVersion(".5", ""));
});

test("an unknown key is rejected with the nearest known one", () => {
  assert.throws(() => parseInstanceFilter("verison=v1"), /unknown key "verison".*did you mean "version"/);
  assert.throws(() => parseInstanceFilter("metadata.=1"), /unknown key/);
});
