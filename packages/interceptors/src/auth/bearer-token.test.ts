import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { assertStatus } from "@tercel/grpc/testing";
import { collect } from "@tercel/test-support/async";
import { type EchoHandlers, openInMemory } from "../../test/support/open-echo.ts";
import { goodClaims, nowSeconds, sealed } from "../../test/support/tokens.ts";
import { type BearerTokenOptions, createBearerToken, type GetToken } from "./index.ts";

/** Responds with the token of the request, and rejects those in `refused`. */
async function openTelling(test: TestContext, getToken: GetToken, options: Partial<BearerTokenOptions> = {}) {
  const refused = new Set<string>();
  const seen: string[] = [];
  function tell(header: Headers): { text: string } {
    const text = header.get("authorization") ?? "";
    seen.push(text);
    if (refused.has(text)) throw new ConnectError("refused", Code.Unauthenticated);
    return { text };
  }
  const handlers: EchoHandlers = {
    unary: (_request, { requestHeader }) => tell(requestHeader),
    async *serverStream(_request, { requestHeader }) {
      yield tell(requestHeader);
    },
  };
  const interceptors = [createBearerToken({ getToken, allowCleartext: true, ...options })];
  return { ...(await openInMemory(test, handlers, { channel: { interceptors } })), refused, seen };
}

/** a, b, c … */
function counting(expiresAtMs?: number): GetToken & { asked: number } {
  const get = Object.assign(
    () => {
      const token = String.fromCharCode(97 + get.asked++);
      return expiresAtMs === undefined ? token : { token, expiresAtMs };
    },
    { asked: 0 },
  );
  return get;
}

describe("createBearerToken", () => {
  it("gets a token once for all calls and streams", async (t) => {
    const getToken = counting();
    const { client } = await openTelling(t, getToken);
    const [one, two] = await Promise.all([client.unary({}), client.unary({})]);
    const [three] = await collect(client.serverStream({}));
    assert.deepEqual([one.text, two.text, three?.text], ["Bearer a", "Bearer a", "Bearer a"]);
    assert.equal(getToken.asked, 1);
  });

  it("replaces a token shortly before its exp", async (t) => {
    let nowMs = nowSeconds * 1000;
    let asked = 0;
    const getToken = () => sealed({ ...goodClaims, at: ++asked });
    const { client } = await openTelling(t, getToken, { wallClockMs: () => nowMs });
    await client.unary({});
    nowMs += 539_999;
    await client.unary({});
    assert.equal(asked, 1);
    nowMs += 1;
    await client.unary({});
    assert.equal(asked, 2);
  });

  it("uses a valid token while no new one can be obtained", async (t) => {
    let nowMs = 0;
    let isDown = false;
    const getToken = () => {
      if (isDown) throw new Error("secret of the issuer");
      return { token: "a", expiresAtMs: 100_000 };
    };
    const { client } = await openTelling(t, getToken, { wallClockMs: () => nowMs });
    await client.unary({});
    isDown = true;
    nowMs = 99_999;
    assert.equal((await client.unary({})).text, "Bearer a");
    nowMs = 100_000;
    await assertStatus(client.unary({}), Code.Unavailable, "no token could be obtained for the call");
  });

  it("sends a rejected unary call once more with a new token, but only once", async (t) => {
    const { client, refused, seen } = await openTelling(t, counting());
    await client.unary({});
    refused.add("Bearer a");
    assert.equal((await client.unary({})).text, "Bearer b");
    refused.add("Bearer b").add("Bearer c");
    await assertStatus(client.unary({}), Code.Unauthenticated, "refused");
    assert.deepEqual(seen, ["Bearer a", "Bearer a", "Bearer b", "Bearer b", "Bearer c"]);
  });

  it("sends no call again with the same token, no stream, and no call with another failure", async (t) => {
    const { client, refused, seen } = await openTelling(t, () => "same");
    refused.add("Bearer same");
    await assertStatus(client.unary({}), Code.Unauthenticated);
    await assertStatus(client.serverStream({}), Code.Unauthenticated);
    assert.equal(seen.length, 2);
  });

  it("keeps the authorization of a call that has one", async (t) => {
    const { client } = await openTelling(t, () => assert.fail("no token is needed"));
    assert.equal((await client.unary({}, { headers: { authorization: "Basic dTpw" } })).text, "Basic dTpw");
  });

  it("sends no token over cleartext unless that is allowed", async (t) => {
    const { client, seen } = await openTelling(t, counting(), { allowCleartext: false });
    await assertStatus(client.unary({}), Code.Unauthenticated, /without TLS/);
    await assertStatus(client.serverStream({}), Code.Unauthenticated, /without TLS/);
    assert.deepEqual(seen, []);
  });

  it("does not send an invalid token, and passes on a ConnectError of getToken", async (t) => {
    for (const token of ["", "a b", "a\r\nx: y", 7 as never]) {
      const { client, seen } = await openTelling(t, () => token);
      await assertStatus(client.unary({}), Code.Unauthenticated, /invalid token/);
      assert.deepEqual(seen, []);
    }
    const { client } = await openTelling(t, () => Promise.reject(new ConnectError("login", Code.PermissionDenied)));
    await assertStatus(client.unary({}), Code.PermissionDenied, "login");
  });

  it("rejects invalid options", () => {
    assert.throws(() => createBearerToken({ getToken: "token" as never }), /getToken is "token"; expected a function/);
    assert.throws(
      () => createBearerToken({ getToken: () => "a", allowClearText: true } as never),
      /did you mean "allowCleartext"/,
    );
    assert.throws(() => createBearerToken({ getToken: () => "a", refreshBeforeMs: -1 }), RangeError);
  });
});
