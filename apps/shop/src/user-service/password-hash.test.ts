import assert from "node:assert/strict";
import { scryptSync } from "node:crypto";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import { assertStatus } from "@tercel/grpc/testing";
import { createPasswordHash, type PasswordHashOptions } from "./password-hash.ts";

/** Cheap ones: how strong the default is, is said by the first test. */
const cheap: PasswordHashOptions = { cost: 16, blockSize: 1, parallelization: 1 };
const never = new AbortController().signal;

function isHashOf(password: string, stored: string): boolean {
  const [kind, cost, blockSize, parallelization, salt = "", hash = ""] = stored.split("$");
  const parameters = { cost: Number(cost), blockSize: Number(blockSize), parallelization: Number(parallelization) };
  const expected = Buffer.from(hash, "base64");
  const made = scryptSync(password, Buffer.from(salt, "base64"), 32, { ...parameters, maxmem: 2 ** 30 });
  return kind === "scrypt" && made.equals(expected);
}

test("what is stored says how it was made, and only the right password leads to it", async () => {
  const stored = await createPasswordHash()("correct horse", never);
  assert.match(stored, /^scrypt\$32768\$8\$3\$[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=$/);
  assert.equal(isHashOf("correct horse", stored), true);
  assert.equal(isHashOf("Correct horse", stored), false);
});

test("the same password has another hash each time", async () => {
  const hash = createPasswordHash(cheap);
  assert.notEqual(await hash("correct horse", never), await hash("correct horse", never));
});

test("a letter typed as two is the same letter", async () => {
  const stored = await createPasswordHash(cheap)("o\u0308sterreich", never);
  assert.equal(isHashOf("österreich", stored), true);
});

test("so many wait, one more is refused, and all that waited are hashed", async () => {
  const hash = createPasswordHash({ ...cheap, maxRunning: 1, maxWaiting: 2 });
  const three = ["a", "b", "c"].map((password) => hash(password, never));
  const refused = await assertStatus(hash("d", never), Code.ResourceExhausted, /too many passwords/);
  assert.ok(refused.details.length > 0);
  const stored = await Promise.all(three);
  assert.deepEqual(
    stored.map((one, at) => isHashOf(["a", "b", "c"][at] ?? "", one)),
    [true, true, true],
  );
  assert.ok(isHashOf("e", await hash("e", never)));
});

test("who gives up while waiting gives the place away", async () => {
  const hash = createPasswordHash({ ...cheap, maxRunning: 1, maxWaiting: 1 });
  const first = hash("a", never);
  const leaving = new AbortController();
  const second = hash("b", leaving.signal);
  leaving.abort(new Error("gave up"));
  await assert.rejects(second, /gave up/);
  const third = hash("c", never);
  assert.ok(isHashOf("a", await first));
  assert.ok(isHashOf("c", await third));
});

test("who gives up while being hashed gets no hash", async () => {
  const leaving = new AbortController();
  const hashing = createPasswordHash(cheap)("a", leaving.signal);
  leaving.abort(new Error("gave up"));
  await assert.rejects(hashing, /gave up/);
});

test("who has given up before is not hashed", async () => {
  await assert.rejects(createPasswordHash(cheap)("a", AbortSignal.abort(new Error("gave up"))), /gave up/);
});
