import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { describe, it } from "node:test";
import { createFakeClock } from "@tercel/grpc/testing";
import { createOccasion } from "@tercel/test-support/async";
import { recordingLog } from "../../test/support/open-echo.ts";
import { JwksKeys, KeysUnavailable } from "./jwks.ts";

const first = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" });
const second = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" });

function openKeys() {
  const clock = createFakeClock();
  const { log, logged } = recordingLog();
  const issuer = {
    keys: [{ ...first, kid: "1" }] as object[],
    isDown: false,
    asked: 0,
    body: undefined as string | undefined,
  };
  const doFetch = (async () => {
    issuer.asked++;
    if (issuer.isDown) throw new Error("cannot be reached");
    return new Response(issuer.body ?? JSON.stringify({ keys: issuer.keys }));
  }) as typeof fetch;
  const options = { url: "https://issuer.example/keys", algorithms: ["ES256"], fetch: doFetch } as const;
  return { clock, issuer, logged, keys: new JwksKeys("test", options, clock, log) };
}

const has = async (keys: JwksKeys, kid: string): Promise<boolean> =>
  (await keys.find({ alg: "ES256", kid })) !== undefined;

describe("JwksKeys", () => {
  it("fetches when the first token comes, once for all that come meanwhile", async () => {
    const { keys, issuer } = openKeys();
    assert.equal(issuer.asked, 0);
    assert.deepEqual(await Promise.all([has(keys, "1"), has(keys, "1"), has(keys, "1")]), [true, true, true]);
    assert.equal(issuer.asked, 1);
  });

  it("fetches again for an unknown key, but not before the cooldown has passed", async () => {
    const { keys, issuer, clock } = openKeys();
    await has(keys, "1");
    issuer.keys = [{ ...second, kid: "2" }];
    await clock.advance(29_999);
    assert.equal(await has(keys, "2"), false);
    assert.equal(issuer.asked, 1);
    await clock.advance(1);
    assert.equal(await has(keys, "2"), true);
    assert.equal(await has(keys, "1"), false, "a key that was withdrawn");
    assert.equal(issuer.asked, 2);
  });

  it("replaces old keys without letting a call wait", async () => {
    const { keys, issuer, clock } = openKeys();
    await has(keys, "1");
    issuer.keys = [
      { ...first, kid: "1" },
      { ...second, kid: "2" },
    ];
    await clock.advance(600_000);
    assert.equal(await has(keys, "1"), true);
    await clock.advance(0);
    assert.equal(issuer.asked, 2);
    assert.equal(await has(keys, "2"), true);
  });

  it("keeps its keys while the issuer cannot be reached, and says so", async () => {
    const { keys, issuer, clock, logged } = openKeys();
    await has(keys, "1");
    issuer.isDown = true;
    await clock.advance(600_000);
    assert.equal(await has(keys, "1"), true);
    await clock.advance(0);
    assert.equal(issuer.asked, 2);
    assert.deepEqual(
      logged.map(({ level }) => level),
      ["warn"],
    );
  });

  it("can say nothing when it never had keys, and does not fetch with every token", async () => {
    const { keys, issuer, clock } = openKeys();
    issuer.isDown = true;
    await assert.rejects(has(keys, "1"), KeysUnavailable);
    await assert.rejects(has(keys, "1"), KeysUnavailable);
    assert.equal(issuer.asked, 1);
    issuer.isDown = false;
    await clock.advance(30_000);
    assert.equal(await has(keys, "1"), true);
  });

  it("refuses what is not a key set, or is too large for one", async () => {
    for (const body of ["<html>", "{}", `{"keys":[],"fill":"${"x".repeat(1024 * 1024)}"}`]) {
      const { keys, issuer } = openKeys();
      issuer.body = body;
      await assert.rejects(has(keys, "1"), KeysUnavailable, body.slice(0, 20));
    }
  });

  it("has no key for an algorithm that its options do not name, nor a private or a secret one", async () => {
    const { keys, issuer } = openKeys();
    assert.equal(await keys.find({ alg: "RS256", kid: "1" }), undefined);
    assert.equal(await keys.find({ alg: "none", kid: "1" }), undefined);
    assert.equal(issuer.asked, 0, "and asks no one");
  });

  it("does not guess between two keys when a token names none", async () => {
    const { keys, issuer } = openKeys();
    issuer.keys = [first, second];
    assert.equal(await keys.find({ alg: "ES256" }), undefined);
  });

  it("gives the request up after its time", async () => {
    const { log } = recordingLog();
    const asked = createOccasion<AbortSignal>();
    const hanging = ((_url: URL, init: RequestInit) => {
      asked.happen(init.signal as AbortSignal);
      return new Promise((_resolve, reject) =>
        init.signal?.addEventListener("abort", () => reject(init.signal?.reason as Error)),
      );
    }) as typeof fetch;
    const options = {
      url: "https://issuer.example/keys",
      algorithms: ["ES256"],
      timeoutMs: 1,
      fetch: hanging,
    } as const;
    const keys = new JwksKeys("test", options, createFakeClock(), log);
    // The time-out holds no process.
    const holding = setTimeout(() => {}, 10_000);
    await assert.rejects(has(keys, "1"), KeysUnavailable);
    clearTimeout(holding);
    assert.equal((await asked.happened).aborted, true);
  });
});
