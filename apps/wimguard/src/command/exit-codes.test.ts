import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { NotReachable, NotServing } from "../client/not-reachable.ts";
import { type FailureReason, statusOfReason } from "../failure/failure.ts";
import { StartError } from "../failure/start-error.ts";
import { toConnectError } from "../failure/to-connect-error.ts";
import { exitCodeOf, NotConfirmed, UsageError } from "./exit-codes.ts";

/** Every reason that has an exit code of its own; all others exit with 1. */
const codes: Partial<Record<FailureReason, number>> = {
  DESTINATION_FOLDER_MISSING: 10,
  TARGET_FOLDER_MISSING: 10,
  REPOSITORY_MISSING: 10,
  REPOSITORY_UNREACHABLE: 10,
  REPOSITORY_LOCKED: 11,
  SECRET_UNUSABLE: 12,
  SECRET_WRONG: 12,
  NO_SPACE: 13,
  MEMBER_UNSAFE: 14,
  TARGET_NOT_EMPTY: 14,
  RETENTION_UNSAFE: 14,
  ARCHIVE_DAMAGED: 4,
  STOPPING: 5,
  DEADLINE_EXCEEDED: 6,
};

describe("exitCodeOf", () => {
  for (const reason of Object.keys(statusOfReason) as FailureReason[]) {
    it(`is ${codes[reason] ?? 1} for ${reason}`, () => {
      assert.equal(exitCodeOf(toConnectError({ reason, message: "text" })), codes[reason] ?? 1);
    });
  }

  for (const [what, error, code] of [
    ["a wrong command line", new UsageError("text"), 2],
    ["a config that cannot be used", new StartError("config", "text"), 2],
    ["a damaged catalogue", new StartError("damaged", "text"), 4],
    ["no daemon", new NotReachable("a:1", 1, new ConnectError("text", Code.Unavailable)), 5],
    ["a daemon that is stopping", new NotServing("a:1"), 5],
    ["no response in time", new NotReachable("a:1", 1, new ConnectError("text", Code.DeadlineExceeded)), 6],
    ["another daemon", new StartError("locked", "text"), 11],
    ["a wrong secret", new ConnectError("text", Code.Unauthenticated), 12],
    ["an answer that was not the one asked for", new NotConfirmed("text"), 14],
    ["anything else", new Error("text"), 1],
  ] as const) {
    it(`is ${code} for ${what}`, () => assert.equal(exitCodeOf(error), code));
  }
});
