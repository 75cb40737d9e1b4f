import assert from "node:assert/strict";
import { scryptSync } from "node:crypto";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import { assertStatus } from "@tercel/grpc/testing";
import type { HashingCall } from "./hash-queue.ts";
import { createPasswordHash, hashCostFor, maxRunningFor } from "./password-hash.ts";

/** Cheap parameters. The first tests check the strength of the default. */
const cost = { cost: 16, blockSize: 1, parallelization: 1 };
const call: HashingCall = { signal: new AbortController().signal, timeoutMs: undefined };

function isHashOf(password: string, stored: string): boolean {
  const [kind, cost, blockSize, parallelization, salt = "", hash = ""] = stored.split("$");
  const parameters = { cost: Number(cost), blockSize: Number(blockSize), parallelization: Number(parallelization) };
  const expected = Buffer.from(hash, "base64");
  const made = scryptSync(password, Buffer.from(salt, "base64"), 32, { ...parameters, maxmem: 2 ** 30 });
  return kind === "scrypt" && made.equals(expected);
}

test("uses parameters that OWASP recommends, for any number of cores", () => {
  // https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html, scrypt: the least p for each N, with r = 8.
  const leastParallelization = new Map([
    [2 ** 17, 1],
    [2 ** 16, 2],
    [2 ** 15, 3],
    [2 ** 14, 5],
    [2 ** 13, 10],
  ]);
  for (const cores of [1, 2, 3, 4, 8, 64]) {
    const { cost, blockSize, parallelization } = hashCostFor(cores);
    assert.equal(blockSize, 8);
    assert.ok(parallelization >= (leastParallelization.get(cost) ?? Number.POSITIVE_INFINITY));
  }
  assert.deepEqual(hashCostFor(3), { cost: 2 ** 14, blockSize: 8, parallelization: 5 });
  assert.deepEqual(hashCostFor(4), { cost: 2 ** 15, blockSize: 8, parallelization: 3 });
});

test("leaves a core for the event loop, and two of libuv's threads for files and DNS", () => {
  const cores = [1, 2, 3, 4, 64];
  assert.deepEqual(
    cores.map((count) => maxRunningFor(count, 4)),
    [1, 1, 2, 2, 2],
  );
  assert.deepEqual(
    cores.map((count) => maxRunningFor(count, 16)),
    [1, 1, 2, 3, 14],
  );
  assert.equal(maxRunningFor(8, 1), 1);
});

test("the stored text contains the parameters, and only the right password matches it", async () => {
  const passwords = createPasswordHash();
  const stored = await passwords.hash("correct horse", call);
  assert.match(stored, /^scrypt\$(16384\$8\$5|32768\$8\$3)\$[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=$/);
  assert.equal(isHashOf("correct horse", stored), true);
  assert.equal(await passwords.verify("correct horse", stored, call), true);
  assert.equal(await passwords.verify("Correct horse", stored, call), false);
});

test("verifies a hash with the parameters in it", async () => {
  // As releases before wrote it.
  const salt = Buffer.alloc(16, 7);
  const hash = scryptSync("correct horse", salt, 32, {
    cost: 32_768,
    blockSize: 8,
    parallelization: 3,
    maxmem: 2 ** 30,
  });
  const stored = `scrypt$32768$8$3$${salt.toString("base64")}$${hash.toString("base64")}`;
  const passwords = createPasswordHash({ cost });
  assert.equal(await passwords.verify("correct horse", stored, call), true);
  assert.equal(await passwords.verify("battery staple", stored, call), false);
});

test("refuses a text that is not a hash, or needs too much memory", async () => {
  const passwords = createPasswordHash({ cost });
  for (const stored of [
    "",
    "bcrypt$1",
    "scrypt$16$1$1$c2FsdA==",
    "scrypt$16$1$1$c2FsdA==$",
    "scrypt$16$1$1$c2FsdA==$aGFzaA==",
  ]) {
    await assert.rejects(passwords.verify("a", stored, call), /not a password hash of this program/, stored);
  }
  const [, , , , salt, hash] = (await passwords.hash("a", call)).split("$");
  await assert.rejects(passwords.verify("a", `scrypt$1048576$8$1$${salt}$${hash}`, call), /memory limit exceeded/);
  await assert.rejects(passwords.verify("a", `scrypt$x$8$1$${salt}$${hash}`, call));
});

test("the same password has a different hash each time", async () => {
  const passwords = createPasswordHash({ cost });
  assert.notEqual(await passwords.hash("correct horse", call), await passwords.hash("correct horse", call));
});

test("a composed and a decomposed letter are equal", async () => {
  const stored = await createPasswordHash({ cost }).hash("o\u0308sterreich", call);
  assert.equal(isHashOf("österreich", stored), true);
});

test("hashing and verifying share one bounded queue, whose calls all run", async () => {
  const passwords = createPasswordHash({ cost, maxRunning: 1, maxWaiting: 2 });
  const stored = await passwords.hash("a", call);
  const hashing = passwords.hash("b", call);
  const verifying = [passwords.verify("a", stored, call), passwords.verify("b", stored, call)];
  await assertStatus(passwords.hash("c", call), Code.ResourceExhausted, /too many passwords/);
  await assertStatus(passwords.verify("a", stored, call), Code.ResourceExhausted, /too many passwords/);
  assert.ok(isHashOf("b", await hashing));
  assert.deepEqual(await Promise.all(verifying), [true, false]);
  assert.ok(isHashOf("d", await passwords.hash("d", call)));
});

test("a call that is cancelled during hashing gets no hash", async () => {
  const leaving = new AbortController();
  const hashing = createPasswordHash({ cost }).hash("a", { ...call, signal: leaving.signal });
  leaving.abort(new Error("gave up"));
  await assert.rejects(hashing, /gave up/);
});
