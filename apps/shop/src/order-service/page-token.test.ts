import assert from "node:assert/strict";
import { test } from "node:test";
import { pageTokenOf, positionOf } from "./page-token.ts";

test("a position survives being a token", () => {
  for (const position of [
    { beforeSeq: 1, userId: "" },
    { beforeSeq: 2 ** 53 - 1, userId: "ä:b".padEnd(64, "字") },
  ]) {
    assert.deepEqual(positionOf(pageTokenOf(position), position.userId), position);
  }
});

test("a token belongs to the list it was made for", () => {
  const token = pageTokenOf({ beforeSeq: 5, userId: "ada" });
  assert.equal(positionOf(token, "eve"), undefined);
  assert.equal(positionOf(token, ""), undefined);
});

const base64 = (text: string) => Buffer.from(text).toString("base64url");
const forged = ["x", "!!", base64("0:"), base64("-1:"), base64("1e3:"), base64("9999999999999999:")];

test("forged tokens are told apart, except for one that happens to be right", () => {
  for (const token of forged) assert.equal(positionOf(token, ""), undefined, token);
  assert.deepEqual(positionOf(base64("7:"), ""), { beforeSeq: 7, userId: "" });
});

test("a token of any length is refused quickly", () => {
  assert.equal(positionOf("A".repeat(4_000_000), ""), undefined);
});
