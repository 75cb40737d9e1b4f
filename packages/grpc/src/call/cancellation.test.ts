import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Cancellation } from "./cancellation.ts";

describe("cancellation of a call", () => {
  test("is an AbortError where nothing failed, the same one for every call", () => {
    const [first, second] = [new Cancellation(), new Cancellation()];
    const { signal } = first;
    first.abort(undefined);
    second.abort(undefined);
    assert.equal((signal.reason as DOMException).name, "AbortError");
    assert.equal(second.signal.reason, signal.reason);
    assert.equal(first.reason, undefined);
  });

  test("gives what ended the call to who asks before and after, and only the first", () => {
    const fault = new Error("the deadline passed");
    const [before, after] = [new Cancellation(), new Cancellation()];
    const { signal } = before;
    before.abort(fault);
    before.abort(new Error("too late"));
    after.abort(fault);
    assert.equal(signal.reason, fault);
    assert.equal(after.signal.reason, fault);
  });
});
