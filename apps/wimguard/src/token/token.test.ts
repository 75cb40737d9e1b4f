import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeJwt, jwtVerify } from "jose";
import { deriveKey, mintToken } from "./token.ts";

const app = { appID: "app", appSecret: "a secret of a test" };

describe("mintToken", () => {
  it("signs with a key that only the secret gives, for its purpose", async () => {
    const token = await mintToken(app, { role: "reader", ttlMs: 60_000 });
    const { payload } = await jwtVerify(token, deriveKey(app.appSecret, "tokens"), {
      issuer: "app",
      audience: "wimguard",
    });
    assert.deepEqual(payload.roles, ["reader"]);
    await assert.rejects(jwtVerify(token, deriveKey(app.appSecret, "page tokens")));
    await assert.rejects(jwtVerify(token, deriveKey("another secret", "tokens")));
  });

  it("takes a second to a day", async () => {
    const nowMs = 1_800_000_000_000;
    const { iat, exp } = decodeJwt(await mintToken(app, { role: "admin", ttlMs: 24 * 3_600_000, nowMs }));
    assert.deepEqual([iat, exp], [nowMs / 1000, nowMs / 1000 + 86_400]);
    await mintToken(app, { role: "admin", ttlMs: 1000 });
    for (const ttlMs of [999, 24 * 3_600_000 + 1, Number.NaN]) {
      await assert.rejects(mintToken(app, { role: "admin", ttlMs }), RangeError);
    }
  });
});
