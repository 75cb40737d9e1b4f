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
  it("fetches the keys once for the first tokens", async () => {
    const { keys, issuer } = openKeys();
    assert.equal(issuer.asked, 0);
    assert.deepEqual(await Promise.all([has(keys, "1"), has(keys, "1"), has(keys, "1")]), [true, true, true]);
    assert.equal(issuer.asked, 1);
  });

  it("fetches again for an unknown key, after the cooldown", async () => {
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

  it("replaces old keys in the background", async () => {
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

  it("keeps its keys while the issuer cannot be reached, and logs that", async () => {
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

  it("is unavailable before it has keys, and does not fetch for every token", async () => {
    const { keys, issuer, clock } = openKeys();
    issuer.isDown = true;
    await assert.rejects(has(keys, "1"), KeysUnavailable);
    await assert.rejects(has(keys, "1"), KeysUnavailable);
    assert.equal(issuer.asked, 1);
    issuer.isDown = false;
    await clock.advance(30_000);
    assert.equal(await has(keys, "1"), true);
  });

  it("rejects a response that is not a key set, or is too large", async () => {
    for (const body of ["<html>", "{}", `{"keys":[],"fill":"${"x".repeat(1024 * 1024)}"}`]) {
      const { keys, issuer } = openKeys();
      issuer.body = body;
      await assert.rejects(has(keys, "1"), KeysUnavailable, body.slice(0, 20));
    }
  });

  it("ignores keys of other algorithms, and private and secret keys", async () => {
    const { keys, issuer } = openKeys();
    assert.equal(await keys.find({ alg: "RS256", kid: "1" }), undefined);
    assert.equal(await keys.find({ alg: "none", kid: "1" }), undefined);
    assert.equal(issuer.asked, 0, "and asks no one");
  });

  it("does not choose between two keys for a token without a key id", async () => {
    const { keys, issuer } = openKeys();
    issuer.keys = [first, second];
    assert.equal(await keys.find({ alg: "ES256" }), undefined);
  });

  it("cancels a request after its timeout", async () => {
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
    // The timeout does not keep the process alive.
    const holding = setTimeout(() => {}, 10_000);
    await assert.rejects(has(keys, "1"), KeysUnavailable);
    clearTimeout(holding);
    assert.equal((await asked.happened).aborted, true);
  });
});
