import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorCode, errorCodeName } from "./error-code.ts";

test("names every registered code as the RFC does", () => {
  assert.equal(errorCodeName(ErrorCode.noError), "NO_ERROR");
  assert.equal(errorCodeName(ErrorCode.enhanceYourCalm), "ENHANCE_YOUR_CALM");
  assert.equal(errorCodeName(ErrorCode.http11Required), "HTTP_1_1_REQUIRED");
  const named = Object.values(ErrorCode).map((code) => errorCodeName(code));
  assert.equal(new Set(named).size, 14);
  assert.ok(named.every((name) => /^[A-Z0-9_]+$/.test(name)));
});

test("shows a code that no one registered as a number", () => {
  assert.equal(errorCodeName(0xe), "0xe");
  assert.equal(errorCodeName(0xffff_ffff), "0xffffffff");
});
