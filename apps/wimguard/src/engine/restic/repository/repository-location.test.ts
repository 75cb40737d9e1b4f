import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FailureError } from "../../../failure/failure.ts";
import { checkRepository, isRepository, localFolderOf } from "./repository-location.ts";

describe("the location of a repository", () => {
  for (const [destination, normal, folder] of [
    ["restic:/srv//b/../repository/", "restic:/srv/repository", "/srv/repository"],
    ["restic:local:/srv/r", "restic:/srv/r", "/srv/r"],
    ["restic:sftp:ada@host:/srv/r", "restic:sftp:ada@host:/srv/r", undefined],
    ["restic:rest:https://ada@host:8000/", "restic:rest:https://ada@host:8000/", undefined],
    ["restic:s3:s3.amazonaws.com/bucket", "restic:s3:s3.amazonaws.com/bucket", undefined],
  ] as const) {
    it(`is taken: ${destination}`, () => {
      assert.ok(isRepository(destination));
      assert.equal(checkRepository("destination", destination), normal);
      assert.equal(localFolderOf(normal), folder);
    });
  }

  for (const [what, destination, reason] of [
    ["nothing", "restic:", "FIELD_REQUIRED"],
    ["a relative path", "restic:srv/r", "PATH_INVALID"],
    ["an unknown backend", "restic:ftp://host/", "PATH_INVALID"],
    ["two lines", "restic:/a\nb", "PATH_INVALID"],
    ["a password", "restic:rest:https://ada:secret@host/", "FIELD_INVALID"],
  ] as const) {
    it(`is refused: ${what}`, () => {
      assert.throws(
        () => checkRepository("destination", destination),
        (error) =>
          error instanceof FailureError &&
          error.failure.reason === reason &&
          error.failure.field === "destination" &&
          !error.message.includes("secret"),
      );
    });
  }
});
