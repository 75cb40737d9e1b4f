import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FailureError } from "../failure/failure.ts";
import { captureEnvironment } from "./capture-environment.ts";
import { diffEnvironments, type Environment } from "./environment.ts";
import { exportVariables } from "./export-variables.ts";
import { hideSecrets } from "./hide-secrets.ts";

const key = Buffer.alloc(32, 1);

describe("an environment", () => {
  it("holds no secret, only whether two are the same", () => {
    const env = { PATH: "/bin", API_KEY: "a", db_password: "a", TOKEN: "b", CREDENTIALS_FILE: "c", CLIENT_SECRET: "d" };
    const hidden = hideSecrets(env, key);
    assert.equal(hidden.PATH, "/bin");
    for (const name of Object.keys(env).filter((one) => one !== "PATH")) {
      assert.match(hidden[name] ?? "", /^hmac:[0-9a-f]{64}$/, name);
    }
    assert.equal(hidden.API_KEY, hidden.db_password);
    assert.notEqual(hidden.API_KEY, hidden.TOKEN);
    assert.notEqual(hidden.API_KEY, hideSecrets(env, Buffer.alloc(32, 2)).API_KEY);
  });

  it("is that of this machine", async () => {
    const found = await captureEnvironment(key, { NAME: "value" });
    assert.deepEqual(found.variables, { NAME: "value" });
    assert.equal(found.tools.node, process.versions.node);
    assert.match(found.tools.tar ?? "", /^\d/);
    assert.ok(found.mounts.some((line) => line.startsWith("/ ")));
    assert.ok(found.users.some((line) => line.startsWith("root:0:0:")));
  });

  it("differs part by part", () => {
    const before: Environment = {
      host: "a",
      os: "b",
      variables: { A: "1", B: "2" },
      tools: { tar: "1.34" },
      packages: ["tar 1.34", "zstd 1.5"],
      mounts: ["/ /dev/sda1 ext4 rw"],
      users: ["root:0:0:/root:/bin/sh"],
    };
    const after = { ...before, variables: { A: "1", C: "3" }, packages: ["tar 1.35"], users: [] };
    assert.deepEqual(diffEnvironments(before, before), []);
    assert.deepEqual(diffEnvironments(before, after), [
      { part: "variables", key: "B", before: "2", after: "" },
      { part: "variables", key: "C", before: "", after: "3" },
      { part: "packages", key: "tar", before: "1.34", after: "1.35" },
      { part: "packages", key: "zstd", before: "1.5", after: "" },
      { part: "users", key: "root", before: "0:0:/root:/bin/sh", after: "" },
    ]);
  });

  it("is exported as text that a program can load, without secrets", () => {
    const variables = { A: "it's", B: "two\nlines", KEY: "hmac:00", "BASH_FUNC_x%%": "() { :; }" };
    assert.equal(
      exportVariables(variables, "sh"),
      "export A='it'\\''s'\nexport B='two\nlines'\n# KEY is a secret, which was not stored\n",
    );
    assert.equal(
      exportVariables(variables, "dotenv"),
      'A="it\'s"\nB="two\\nlines"\n# KEY is a secret, which was not stored\n',
    );
    assert.deepEqual(JSON.parse(exportVariables(variables, "json")), {
      A: "it's",
      B: "two\nlines",
      "BASH_FUNC_x%%": "() { :; }",
    });
    assert.throws(
      () => exportVariables(variables, "xml"),
      (error) =>
        error instanceof FailureError && error.failure.field === "format" && /use dotenv, sh, json/.test(error.message),
    );
  });
});
