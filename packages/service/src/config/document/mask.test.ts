import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hideUrlPassword, maskValue } from "./mask.ts";

describe("maskValue", () => {
  test("hides what the schema calls secret, and what the name of its key does", () => {
    assert.equal(maskValue("x", "plain", true), "•••");
    assert.equal(maskValue("x", "db_password", undefined), "•••");
    assert.equal(maskValue(12345, "token", undefined), "•••");
    assert.equal(maskValue("x", "plain", undefined), "x");
  });

  test("shows what the schema calls no secret although its name looks like one", () => {
    assert.equal(maskValue("1h", "token_ttl", false), "1h");
  });

  test("says that there is no secret where there is none", () => {
    assert.equal(maskValue("", "password", undefined), "");
  });

  test("hides password and parameters of a URL and leaves one without them as it was written", () => {
    assert.equal(
      maskValue("postgres://me:pw@db:5432/users?sslkey=x", "url", "url"),
      "postgres://me:•••@db:5432/users?•••",
    );
    assert.equal(maskValue("redis://:pw@cache", "url", "url"), "redis://:•••@cache");
    assert.equal(maskValue("http://localhost:14268", "url", "url"), "http://localhost:14268");
  });

  test("hides a URL that cannot be read as one", () => {
    assert.equal(maskValue("me:pw@db", "url", "url"), "•••");
    assert.equal(maskValue("postgres://me:p w@[db", "url", "url"), "•••");
  });
});

test("hideUrlPassword hides the passwords of all URLs of a line", () => {
  assert.equal(hideUrlPassword("a://u:p1@h b://u:p2@h c://h/x"), "a://u:•••@h b://u:•••@h c://h/x");
});
