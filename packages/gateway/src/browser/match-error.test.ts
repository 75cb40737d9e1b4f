import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { alreadyExists, invalidArgument, resourceExhausted } from "@tercel/grpc/errors";
import { type ErrorCases, matchError } from "./match-error.ts";

describe("matchError", () => {
  const taken = alreadyExists({ message: "taken", reason: "EMAIL_TAKEN", metadata: { email: "a@b" } });
  const cases: ErrorCases<string> = {
    EMAIL_TAKEN: ({ reason, metadata }) => `${reason} ${metadata.get("email")}`,
    AlreadyExists: ({ message }) => `exists: ${message}`,
    InvalidArgument: ({ fields }) => fields.map(({ field }) => field).join(),
    ResourceExhausted: ({ retryAfterMs }) => `after ${retryAfterMs}`,
    otherwise: ({ code, message }) => `${Code[code]}: ${message}`,
  };

  it("prefers the reason over the code, and the code over the default", () => {
    assert.equal(matchError(taken, cases), "EMAIL_TAKEN a@b");
    assert.equal(matchError(new ConnectError("x", Code.AlreadyExists), cases), "exists: x");
    assert.equal(matchError(alreadyExists({ message: "y", reason: "OTHER" }), cases), "exists: y");
    assert.equal(matchError(new ConnectError("z", Code.NotFound), cases), "NotFound: z");
  });

  it("passes the error details to the case", () => {
    const wrong = invalidArgument({
      violations: [
        { field: "a", description: "b" },
        { field: "c", description: "d" },
      ],
    });
    assert.equal(matchError(wrong, cases), "a,c");
    assert.equal(matchError(resourceExhausted({ message: "slow", retryAfterMs: 1500 }), cases), "after 1500");
  });

  it("treats an error that is not from a call as UNKNOWN", () => {
    assert.equal(
      matchError(new TypeError("Failed to fetch"), { Unknown: ({ message }) => message }),
      "Failed to fetch",
    );
  });

  it("rethrows the error if no case matches", () => {
    assert.throws(
      () => matchError(taken, { NotFound: () => "" }),
      (thrown) => thrown === taken,
    );
  });

  it("rejects a case that is neither a code nor a reason", () => {
    assert.throws(() => matchError(taken, { NotFond: () => "" } as never), /did you mean "NotFound"/);
    assert.throws(() => matchError(taken, { emailTaken: () => "" } as never), /capital letters only/);
  });

  it("ignores properties inherited from Object.prototype", () => {
    const odd = alreadyExists({ message: "m", reason: "CONSTRUCTOR" });
    assert.equal(matchError(odd, { otherwise: () => "o" }), "o");
  });
});
