import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { FailureError } from "../../../failure/failure.ts";
import { checkSecretRef, cleanEnvironment, secretEnvironment } from "./repository-secret.ts";

function failsWith(work: () => unknown, reason: string, message: RegExp): void {
  assert.throws(work, (error) => {
    assert.ok(error instanceof FailureError && error.failure.reason === reason, String(error));
    assert.match(error.message, message);
    return true;
  });
}

describe("the password of a repository", () => {
  it("comes from a file of this user's, which restic reads itself", (test) => {
    const folder = mkdtempSync(join(tmpdir(), "tercel-secret-"));
    test.after(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "password");
    failsWith(() => secretEnvironment(`file:${path}`), "SECRET_UNUSABLE", /does not exist/);
    writeFileSync(path, "secret", { mode: 0o600 });
    assert.deepEqual(secretEnvironment(`file:${path}`), { RESTIC_PASSWORD_FILE: path });
    for (const mode of [0o640, 0o604]) {
      chmodSync(path, mode);
      failsWith(() => secretEnvironment(`file:${path}`), "SECRET_UNUSABLE", /can be read by other users: chmod 600/);
    }
  });

  it("comes from a variable, or from those of restic itself", () => {
    assert.deepEqual(secretEnvironment("env:A", { A: "x" }), { RESTIC_PASSWORD: "x" });
    failsWith(() => secretEnvironment("env:A", { A: "" }), "SECRET_UNUSABLE", /A is not set/);
    assert.deepEqual(secretEnvironment("", { RESTIC_PASSWORD: "y", B: "z" }), { RESTIC_PASSWORD: "y" });
    failsWith(() => secretEnvironment("", {}), "SECRET_UNUSABLE", /--secret file:PATH/);
  });

  it("of another repository is not passed on", () => {
    const env = { RESTIC_PASSWORD: "x", RESTIC_REPOSITORY: "/a", RESTIC_COMPRESSION: "max", HOME: "/root" };
    assert.deepEqual(cleanEnvironment(env), { RESTIC_COMPRESSION: "max", HOME: "/root" });
  });

  for (const secretRef of ["secret", "file:relative", "env:", "env:A B", "file:/a\nb"]) {
    it(`is never written down: ${JSON.stringify(secretRef)} is refused`, () =>
      failsWith(() => checkSecretRef("secret_ref", secretRef), "FIELD_INVALID", /use file: and the absolute path/));
  }
});
