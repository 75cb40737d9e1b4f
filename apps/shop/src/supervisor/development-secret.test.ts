import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { openDevelopmentSecret, writeServiceKeys } from "./development-secret.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tercel-shop-secret-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a secret is made once, for its owner only, and nothing else is left", () => {
  const data = join(folder, "new");
  const { text } = openDevelopmentSecret(data);
  assert.equal(openDevelopmentSecret(data).text, text);
  assert.equal(Buffer.from(text, "base64").length, 32);
  assert.deepEqual(readdirSync(data), ["secret.key"]);
  assert.equal(statSync(data).mode & 0o777, 0o700);
  assert.equal(statSync(join(data, "secret.key")).mode & 0o777, 0o600);
});

test("a secret that is too short is refused with its file", () => {
  const path = join(folder, "secret.key");
  writeFileSync(path, "short\n");
  assert.throws(() => openDevelopmentSecret(folder), new RegExp(`^Error: ${path} holds less than 32 characters`));
});

test("every service has a key of its own, and the file has all of them", () => {
  const secret = openDevelopmentSecret(folder);
  const lines = readFileSync(writeServiceKeys(folder, secret), "utf8").trim().split("\n");
  assert.equal(lines.length, 4);
  assert.equal(new Set(lines.map((line) => line.split(" ")[1])).size, 4);
  assert.ok(lines.includes(`user-service ${secret.serviceKey("user-service")}`));
  assert.equal(statSync(join(folder, "service-keys")).mode & 0o777, 0o600);
});
