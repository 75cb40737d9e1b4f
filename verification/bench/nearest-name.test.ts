import assert from "node:assert/strict";
import { test } from "node:test";
import { nearestName } from "./nearest-name.ts";

test("names the option that a slip of the finger away was meant", () => {
  assert.equal(nearestName("--ronds", ["--json", "--rounds", "--seconds"]), "--rounds");
  assert.equal(nearestName("grpcgo", ["grpc-js", "grpc-go", "grpc-cpp"]), "grpc-go");
});

test("finds an exact name and prefers the first of two equally near ones", () => {
  assert.equal(nearestName("--json", ["--rounds", "--json"]), "--json");
  assert.equal(nearestName("b", ["a", "c"]), "a");
});

test("names nothing when there is nothing to name", () => {
  assert.equal(nearestName("x", []), undefined);
});
