import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { readErrorReason } from "@tercel/grpc/errors";
import { CommitUnknown, DatabaseFull, DatabaseUnavailable, UniqueViolation } from "../../database/database-errors.ts";
import { databaseCallError } from "./database-errors.ts";

const gaveWay = Object.assign(new Error("could not serialize access"), { severity: "ERROR", code: "40001" });

for (const [error, code, reason] of [
  [new UniqueViolation("users", ["email"], new Error("x")), Code.AlreadyExists, "UNIQUE_VIOLATION"],
  [new DatabaseUnavailable("postgres at db:5432/users", new Error("x")), Code.Unavailable, "DATABASE_UNAVAILABLE"],
  [new DatabaseFull("postgres at db:5432/users", new Error("x")), Code.ResourceExhausted, "DATABASE_FULL"],
  [gaveWay, Code.Aborted, "TRANSACTION_CONFLICT"],
  [new CommitUnknown("postgres at db:5432/users", new Error("x")), Code.Unknown, "COMMIT_UNKNOWN"],
] as const) {
  test(`${error.name} is ${Code[code]} to a caller, who is not shown the database`, () => {
    const mapped = databaseCallError(error);
    assert.ok(mapped instanceof ConnectError);
    assert.equal(mapped.code, code);
    assert.equal(readErrorReason(mapped)?.reason, reason);
    assert.doesNotMatch(mapped.message, /users|postgres|email|serialize/);
    assert.equal(mapped.cause, error);
  });
}

test("every other error stays what it is, and so does one that says its status", () => {
  for (const error of [new RangeError("x"), new ConnectError("mine", Code.NotFound, undefined, undefined, gaveWay)]) {
    assert.equal(databaseCallError(error), error);
  }
});
