import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { openServiceSecret } from "./service-secret.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tercel-shop-secret-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a secret is made once, for its owner only, and nothing else is left", () => {
  const path = join(folder, "new", "secret.key");
  const first = openServiceSecret(path).key("tokens");
  assert.deepEqual(openServiceSecret(path).key("tokens"), first);
  assert.equal(first.length, 32);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(join(folder, "new")), ["secret.key"]);
});

test("keys of two purposes, and of two secrets, differ", () => {
  const secret = openServiceSecret(join(folder, "a"));
  assert.notDeepEqual(secret.key("tokens"), secret.key("pages"));
  assert.notDeepEqual(secret.key("tokens"), openServiceSecret(join(folder, "b")).key("tokens"));
});

test("a secret of 31 bytes is refused, naming the file and what to do, and one of 32 is taken", () => {
  const path = join(folder, "secret.key");
  writeFileSync(path, Buffer.alloc(31, 7).toString("base64"));
  assert.throws(
    () => openServiceSecret(path),
    /secret\.key holds a secret of 31 bytes, .* restore a backup, or delete it to have a new one made/,
  );
  writeFileSync(path, Buffer.alloc(32, 7).toString("base64"));
  assert.equal(openServiceSecret(path).key("tokens").length, 32);
});
