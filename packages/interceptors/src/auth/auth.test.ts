import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Code, createClient } from "@connectrpc/connect";
import { readErrorReason } from "@tercel/grpc/errors";
import { createHealth, createReflection } from "@tercel/grpc/services";
import { assertStatus, createFakeClock, createInMemoryTransport } from "@tercel/grpc/testing";
import { aborted, collect, createOccasion, streamOf } from "@tercel/test-support/async";
import { EchoService, OtherService } from "../../test/gen/tercel/interceptors/test/v1/echo_pb.ts";
import { GuardedService } from "../../test/gen/tercel/interceptors/test/v1/guarded_pb.ts";
import { overBothTransports, recordingLog } from "../../test/support/open-echo.ts";
import {
  audience,
  ed25519,
  goodClaims,
  issuer,
  nowSeconds,
  p256,
  part,
  rsa,
  sealed,
  secret,
} from "../../test/support/tokens.ts";
import { type AuthOptions, claimsKey, createAuth } from "./index.ts";

const services = [EchoService, OtherService];
const echo = EchoService.typeName;

function authOptions(options: Partial<AuthOptions> = {}): AuthOptions {
  return {
    services,
    keys: [
      { id: "hs", algorithm: "HS256", secret },
      { id: "rs", algorithm: "RS256", publicKey: rsa.publicKey },
      { id: "ps", algorithm: "PS256", publicKey: rsa.publicKey },
      { id: "es", algorithm: "ES256", publicKey: p256.publicKey.export({ type: "spki", format: "pem" }) as string },
      { id: "ed", algorithm: "EdDSA", publicKey: ed25519.publicKey.export({ format: "jwk" }) },
    ],
    issuer,
    audience,
    defaultRule: "authenticated",
    log: recordingLog().log,
    wallClockMs: () => nowSeconds * 1000,
    ...options,
  };
}

function bearing(token: string): { headers: { authorization: string } } {
  return { headers: { authorization: `Bearer ${token}` } };
}

/** A client of a handler that responds with the subject of its claims. */
function openGuarded(test: TestContext, options: Partial<AuthOptions> = {}) {
  const transport = createInMemoryTransport({
    routes(router) {
      router.service(EchoService, {
        unary: (_request, { values }) => ({ text: values.get(claimsKey)?.sub ?? "absent" }),
      });
      router.service(GuardedService, {
        read: (_request, { values }) => ({ subject: values.get(claimsKey)?.sub ?? "" }),
        open: (_request, { values }) => ({ subject: values.get(claimsKey)?.sub ?? "" }),
        known: () => ({}),
        administrate: () => ({}),
      });
      createHealth().routes(router);
      createReflection({ services: [EchoService] }).routes(router);
    },
    serverOptions: { log: recordingLog().log, interceptors: [createAuth(authOptions(options))] },
  });
  test.after(() => transport.close({ deadlineMs: 0 }));
  return { transport, client: createClient(EchoService, transport), guarded: createClient(GuardedService, transport) };
}

const [head = "", body = "", signature = ""] = sealed().split(".");
const otherSecret = new Uint8Array(32).fill(8);
const publicPem = Buffer.from(rsa.publicKey.export({ type: "spki", format: "pem" }));
const without = (claim: string): Record<string, unknown> =>
  Object.fromEntries(Object.entries(goodClaims).filter(([name]) => name !== claim));

/** Invalid tokens. Each differs from a valid one in one property. */
const bad: readonly (readonly [string, string, ("TOKEN_EXPIRED" | "TOKEN_INVALID")?])[] = [
  ["an unsigned token", `${part({ alg: "none", kid: "hs" })}.${body}.`],
  ["an unsigned token in other letters", `${part({ alg: "nOnE", kid: "hs" })}.${body}.${signature}`],
  ["a token without its signature", `${head}.${body}`],
  ["a token with an empty signature", `${head}.${body}.`],
  ["a signature over something else", `${head}.${part({ ...goodClaims, sub: "admin" })}.${signature}`],
  ["a header that was changed", `${part({ alg: "HS256", kid: "hs", x: 1 })}.${body}.${signature}`],
  ["a signature with another secret", sealed(goodClaims, {}, otherSecret)],
  ["a signature that was cut", `${head}.${body}.${signature.slice(0, -4)}`],
  ["a signature that was lengthened", `${head}.${body}.${signature}AAAA`],
  ["a signature with spare bits set", `${head}.${body}.${signature.slice(0, -1)}${nextLetter(signature)}`],
  ["a public RSA key taken for an HMAC secret", sealed(goodClaims, { kid: "rs" }, publicPem)],
  ["a public key as the secret, under the secret's id", sealed(goodClaims, {}, publicPem)],
  ["another algorithm than the key's", sealed(goodClaims, { alg: "HS512" })],
  ["PS256 with a key for RS256", sealed(goodClaims, { alg: "PS256", kid: "rs" }, rsa.privateKey)],
  ["RS256 with a key for PS256", sealed(goodClaims, { alg: "RS256", kid: "ps" }, rsa.privateKey)],
  ["RS384 with a key for RS256", sealed(goodClaims, { alg: "RS384", kid: "rs" }, rsa.privateKey)],
  ["ES256 under the id of an RSA key", sealed(goodClaims, { alg: "ES256", kid: "rs" }, p256.privateKey)],
  ["an ECDSA signature of nothing but zeros", zeroSigned()],
  ["an algorithm that no one knows", `${part({ alg: "XS256", kid: "hs" })}.${body}.${signature}`],
  ["an algorithm that is no text", `${part({ alg: ["HS256"], kid: "hs" })}.${body}.${signature}`],
  ["no algorithm", `${part({ kid: "hs" })}.${body}.${signature}`],
  ["an unknown key id", sealed(goodClaims, { kid: "other" })],
  ["no key id where keys have ids", sealed(goodClaims, { kid: undefined })],
  ["a key id that is no text", sealed(goodClaims, { kid: 7 })],
  ["the key id __proto__", sealed(goodClaims, { kid: "__proto__" })],
  [
    "a key in the token",
    sealed(goodClaims, { alg: "RS256", kid: "own", jwk: rsa.publicKey.export({ format: "jwk" }) }, rsa.privateKey),
  ],
  [
    "a key behind an address",
    sealed(goodClaims, { alg: "RS256", kid: "own", jku: "https://evil.example" }, rsa.privateKey),
  ],
  [
    "a certificate behind an address",
    sealed(goodClaims, { alg: "RS256", kid: "own", x5u: "https://evil.example" }, rsa.privateKey),
  ],
  ["a certificate in the token", sealed(goodClaims, { alg: "RS256", kid: "own", x5c: ["AAAA"] }, rsa.privateKey)],
  ["a critical extension that no one knows", sealed(goodClaims, { crit: ["exp2"], exp2: 1 })],
  ["an empty list of critical extensions", sealed(goodClaims, { crit: [] })],
  ["a payload that is not encoded (b64: false)", sealed(goodClaims, { crit: ["b64"], b64: false })],
  ["an expired token", sealed({ ...goodClaims, exp: nowSeconds - 30 }), "TOKEN_EXPIRED"],
  ["a token that never expires", sealed(without("exp"))],
  ["an expiry that is text", sealed({ ...goodClaims, exp: String(nowSeconds + 600) })],
  ["an expiry without end", sealed(`{"iss":"${issuer}","aud":"${audience}","exp":1e999}`)],
  ["a token of the future", sealed({ ...goodClaims, nbf: nowSeconds + 31 })],
  ["a start that is text", sealed({ ...goodClaims, nbf: "now" })],
  ["another issuer", sealed({ ...goodClaims, iss: "https://evil.example" })],
  ["an issuer that goes on", sealed({ ...goodClaims, iss: `${issuer}.evil.example` })],
  ["no issuer", sealed(without("iss"))],
  ["a token for another service", sealed({ ...goodClaims, aud: ["stock", "shopping"] })],
  ["a token for no one", sealed(without("aud"))],
  ["a subject that is no text", sealed({ ...goodClaims, sub: { name: "admin" } })],
  ["claims that are a list", sealed([goodClaims])],
  ["claims that are no JSON", sealed("{")],
  ["claims that are null", sealed("null")],
  ["a header that is no JSON", `${part("{")}.${body}.${signature}`],
  ["an encrypted token's five parts", `${head}.${body}.${signature}.${body}.${signature}`],
  ["standard base64", `${head}.${body}.${signature.slice(0, -3)}+/=`],
  ["padding", `${head}=.${body}.${signature}`],
  ["a space inside", `${head}. ${body}.${signature}`],
  ["two tokens", `${sealed()}, ${sealed()}`],
  ["no token behind the scheme", " "],
  ["a token of 8193 bytes", sealedWithLength(8193)],
];

function nextLetter(text: string): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return letters[letters.indexOf(text.at(-1) as string) + 1] as string;
}

function zeroSigned(): string {
  const [first, second] = sealed(goodClaims, { alg: "ES256", kid: "es" }, p256.privateKey).split(".");
  return `${first}.${second}.${Buffer.alloc(64).toString("base64url")}`;
}

/** Returns a valid token of exactly this many bytes. */
function sealedWithLength(bytes: number): string {
  // Not every length is possible with only one of the parts.
  for (let pad = 0; pad < 3; pad++) {
    for (let fill = Math.floor((bytes * 3) / 4) - 250; ; fill++) {
      const token = sealed({ ...goodClaims, fill: "x".repeat(fill) }, { pad: "x".repeat(pad) });
      if (token.length === bytes) return token;
      if (token.length > bytes) break;
    }
  }
  throw new Error("no token has this length");
}

describe("createAuth", () => {
  for (const [what, token, reason = "TOKEN_INVALID"] of bad) {
    it(`rejects ${what}`, async (t) => {
      const { client } = openGuarded(t);
      const error = await assertStatus(client.unary({}, bearing(token)), Code.Unauthenticated);
      // An empty token counts as missing, because HTTP trims the field.
      const expected = token.trim() === "" ? "TOKEN_MISSING" : reason;
      assert.equal(readErrorReason(error)?.reason, expected);
      assert.match(error.rawMessage, /^(the token (is not valid|has expired)|the call carries no bearer token)$/);
      assert.match(error.metadata.get("www-authenticate") ?? "", /^Bearer( error="invalid_token")?$/);
    });
  }

  it("accepts every algorithm for which it has a key", async (t) => {
    const { client } = openGuarded(t);
    const tokens = [
      sealed(),
      sealed(goodClaims, { alg: "RS256", kid: "rs" }, rsa.privateKey),
      sealed(goodClaims, { alg: "PS256", kid: "ps" }, rsa.privateKey),
      sealed(goodClaims, { alg: "ES256", kid: "es" }, p256.privateKey),
      sealed(goodClaims, { alg: "EdDSA", kid: "ed" }, ed25519.privateKey),
    ];
    for (const token of tokens) assert.equal((await client.unary({}, bearing(token))).text, "user-7");
  });

  it("accepts tokens at its limits", async (t) => {
    const { client } = openGuarded(t);
    const tokens = [
      sealed({ ...goodClaims, exp: nowSeconds - 29 }),
      sealed({ ...goodClaims, nbf: nowSeconds + 30 }),
      sealed({ ...goodClaims, aud: ["stock", audience] }),
      sealedWithLength(8192),
    ];
    for (const token of tokens) assert.equal((await client.unary({}, bearing(token))).text, "user-7");
    const headers = { authorization: `bEARER ${sealed()}` };
    assert.equal((await client.unary({}, { headers })).text, "user-7");
  });

  it("verifies the type of the token if one is configured", async (t) => {
    const { client } = openGuarded(t, { type: "at+jwt" });
    await client.unary({}, bearing(sealed(goodClaims, { typ: "application/at+jwt" })));
    await assertStatus(client.unary({}, bearing(sealed(goodClaims, { typ: "JWT" }))), Code.Unauthenticated);
    await assertStatus(client.unary({}, bearing(sealed())), Code.Unauthenticated);
  });

  it("sends a challenge without an error when the token is missing", async (t) => {
    const { client } = openGuarded(t);
    for (const headers of [{}, { authorization: "Basic dTpw" }]) {
      const error = await assertStatus(client.unary({}, { headers }), Code.Unauthenticated);
      assert.equal(error.metadata.get("www-authenticate"), "Bearer");
      assert.equal(readErrorReason(error)?.reason, "TOKEN_MISSING");
    }
  });

  it("logs why a token was rejected, without the token", async (t) => {
    const { log, logged } = recordingLog();
    const { client } = openGuarded(t, { log });
    const token = sealed({ ...goodClaims, aud: "stock" });
    await assertStatus(client.unary({}, bearing(token)), Code.Unauthenticated);
    assert.deepEqual(
      logged.map(({ level, fields }) => [level, fields.method, fields.reason]),
      [["debug", `${echo}/Unary`, "TOKEN_INVALID"]],
    );
    assert.match(String(logged[0]?.fields.why), /"aud"/);
    assert.ok(!JSON.stringify(logged).includes(token.split(".")[2] as string));
  });

  it("caches a token, but not past its expiry", async (t) => {
    let nowMs = nowSeconds * 1000;
    let verified = 0;
    const rolesOf = () => {
      verified++;
      return [];
    };
    const { client } = openGuarded(t, { wallClockMs: () => nowMs, maxTrustMs: 1_000_000_000, rolesOf });
    const token = sealed();
    for (let at = 0; at < 3; at++) await client.unary({}, bearing(token));
    nowMs += 629_999;
    await client.unary({}, bearing(token));
    assert.equal(verified, 1);
    nowMs += 1;
    await assertStatus(client.unary({}, bearing(token)), Code.Unauthenticated, "the token has expired");
  });

  it("verifies a token again after maxTrustMs, or when the cache has dropped it", async (t) => {
    let nowMs = nowSeconds * 1000;
    let verified = 0;
    const rolesOf = () => {
      verified++;
      return [];
    };
    const settings = { wallClockMs: () => nowMs, maxTrustMs: 1000, maxCachedTokens: 1, rolesOf };
    const { client } = openGuarded(t, settings);
    await client.unary({}, bearing(sealed()));
    nowMs += 999;
    await client.unary({}, bearing(sealed()));
    assert.equal(verified, 1);
    nowMs += 1;
    await client.unary({}, bearing(sealed()));
    assert.equal(verified, 2);
    await client.unary({}, bearing(sealed({ ...goodClaims, sub: "other" })));
    await client.unary({}, bearing(sealed()));
    assert.equal(verified, 4);
  });

  it("does not let handlers change the claims of a cached token", async (t) => {
    const { client } = openGuarded(t);
    await client.unary({}, bearing(sealed()));
    const changed = `${head}.${part({ ...goodClaims, sub: "admin" })}.${signature}`;
    await assertStatus(client.unary({}, bearing(changed)), Code.Unauthenticated);
  });

  it("applies the rules in code: public, roles, scopes, by service and by method", async (t) => {
    const { client } = openGuarded(t, { methods: { [`${echo}/*`]: "public" } });
    assert.equal((await client.unary({}, bearing("rubbish"))).text, "absent");
    const strict = openGuarded(t, {
      methods: { [`${echo}/*`]: "public", [`${echo}/Unary`]: { roles: ["admin", "owner"], scopes: ["a", "b"] } },
    });
    const call = (claims: object) => strict.client.unary({}, bearing(sealed({ ...goodClaims, ...claims })));
    await call({ roles: ["owner"], scope: "b a c" });
    await call({ roles: ["admin"], scp: ["a", "b"] });
    const noRole = await assertStatus(call({ roles: ["user"], scope: "a b" }), Code.PermissionDenied);
    assert.deepEqual(
      [readErrorReason(noRole)?.reason, readErrorReason(noRole)?.metadata.get("method")],
      ["ROLE_MISSING", `${echo}/Unary`],
    );
    const noScope = await assertStatus(call({ roles: ["admin"], scope: "a" }), Code.PermissionDenied);
    assert.equal(readErrorReason(noScope)?.reason, "SCOPE_MISSING");
    assert.equal(noScope.metadata.get("www-authenticate"), 'Bearer error="insufficient_scope", scope="a b"');
    await assertStatus(call({ roles: "admin", scope: "a b" }), Code.PermissionDenied);
  });

  it("applies the rules in the proto, unless code has another", async (t) => {
    const options = { services: [EchoService, OtherService, GuardedService] };
    const { guarded } = openGuarded(t, options);
    const as = (claims: object) => bearing(sealed({ ...goodClaims, ...claims }));
    assert.equal((await guarded.open({})).subject, "");
    await assertStatus(guarded.known({}), Code.Unauthenticated);
    await guarded.known({}, as({}));
    await assertStatus(guarded.read({}, as({})), Code.PermissionDenied);
    assert.equal((await guarded.read({}, as({ scope: "guarded.read" }))).subject, "user-7");
    await assertStatus(guarded.administrate({}, as({ scope: "guarded.read" })), Code.PermissionDenied);
    await guarded.administrate({}, as({ roles: ["owner"] }));
    const methods = { [`${GuardedService.typeName}/Open`]: "authenticated" as const };
    await assertStatus(openGuarded(t, { ...options, methods }).guarded.open({}), Code.Unauthenticated);
  });

  it("denies methods of services that are not in its options, whatever the token", async (t) => {
    const { guarded } = openGuarded(t);
    const error = await assertStatus(guarded.read({}, bearing(sealed())), Code.PermissionDenied);
    assert.equal(readErrorReason(error)?.reason, "METHOD_DENIED");
  });

  it("needs no token for health, nor for reflection if that is public", async (t) => {
    const { service } = createHealth();
    const closed = openGuarded(t);
    await createClient(service, closed.transport).check({});
    const reflection = closed.transport.server.services.find(
      ({ typeName }) => typeName === "grpc.reflection.v1.ServerReflection",
    );
    assert.ok(reflection !== undefined);
    const ask = ({ transport }: typeof closed) =>
      // biome-ignore lint/suspicious/noExplicitAny: the service is known by its descriptor only
      collect((createClient(reflection, transport) as any).serverReflectionInfo(streamOf({})));
    await assert.rejects(ask(closed), { code: Code.PermissionDenied });
    await ask(openGuarded(t, { publicReflection: true }));
  });

  overBothTransports((open) => {
    it("checks streams of all kinds", async (t) => {
      const subject = (values: { get: typeof Map.prototype.get }): string => values.get(claimsKey)?.sub;
      const { client } = await open(
        t,
        {
          async *serverStream(_request, { values }) {
            yield { text: subject(values) };
          },
          clientStream: async (_requests, { values }) => ({ text: subject(values) }),
          async *bidi(_requests, { values }) {
            yield { text: subject(values) };
          },
        },
        { server: { interceptors: [createAuth(authOptions())] } },
      );
      const calls = [
        (options: object) => collect(client.serverStream({}, options)),
        async (options: object) => [await client.clientStream(streamOf({}), options)],
        (options: object) => collect(client.bidi(streamOf({}), options)),
      ];
      for (const call of calls) {
        await assertStatus(call({}), Code.Unauthenticated);
        assert.deepEqual(
          (await call(bearing(sealed()))).map(({ text }) => text),
          ["user-7"],
        );
      }
    });
  });

  describe("endStreamsAtExpiry", () => {
    it("ends a stream when its token expires, also for the handler", async (t) => {
      const clock = createFakeClock();
      const startMs = clock.nowMs();
      const gone = createOccasion<unknown>();
      const settings = {
        endStreamsAtExpiry: true,
        clock,
        wallClockMs: () => nowSeconds * 1000 + clock.nowMs() - startMs,
      };
      const transport = createInMemoryTransport({
        routes: (router) =>
          router.service(EchoService, {
            async *bidi(_requests, { signal }) {
              yield { text: "first" };
              gone.happen(await aborted(signal));
            },
          }),
        serverOptions: { interceptors: [createAuth(authOptions(settings))] },
      });
      t.after(() => transport.close({ deadlineMs: 0 }));
      const call = createClient(EchoService, transport).bidi(streamOf({}), bearing(sealed()));
      const responses = call[Symbol.asyncIterator]();
      assert.equal((await responses.next()).value?.text, "first");
      await clock.advance(629_999);
      assert.equal(clock.pendingTimers, 1);
      await clock.advance(1);
      await assert.rejects(responses.next(), { code: Code.Unauthenticated, rawMessage: "the token has expired" });
      await gone.happened;
      assert.equal(clock.pendingTimers, 0);
    });

    it("leaves no timer after a stream that ends, fails, or is left", async (t) => {
      const clock = createFakeClock();
      const transport = createInMemoryTransport({
        routes: (router) =>
          router.service(EchoService, {
            async *serverStream({ text }) {
              yield {};
              if (text === "fail") throw new Error("meant");
            },
            clientStream: () => Promise.reject(new Error("meant")),
          }),
        serverOptions: {
          log: recordingLog().log,
          interceptors: [createAuth(authOptions({ endStreamsAtExpiry: true, clock }))],
        },
      });
      t.after(() => transport.close({ deadlineMs: 0 }));
      const client = createClient(EchoService, transport);
      await collect(client.serverStream({}, bearing(sealed())));
      await assertStatus(client.serverStream({ text: "fail" }, bearing(sealed())), Code.Internal);
      await assertStatus(client.clientStream(streamOf({}), bearing(sealed())), Code.Internal);
      for await (const _response of client.serverStream({}, bearing(sealed()))) break;
      await clock.advance(0);
      assert.equal(clock.pendingTimers, 0);
    });
  });

  it("rejects invalid options, keys and rules", () => {
    const key = { algorithm: "HS256", secret } as const;
    const weak = rsa.publicKey;
    const wrong: [Partial<AuthOptions> | object, RegExp][] = [
      [{ issuers: "x" }, /unknown option "issuers"; did you mean "issuer"/],
      [{ keys: [] }, /expected keys or jwks/],
      [{ keys: [{ ...key, secret: secret.subarray(1) }] }, /31 bytes; it needs at least 32/],
      [{ keys: [{ ...key, secret: publicPem }] }, /PEM file/],
      [{ keys: [{ ...key, algorithm: "none" }] }, /algorithm is "none"; expected one of HS256/],
      [{ keys: [{ algorithm: "RS256", secret }] }, /takes a publicKey/],
      [{ keys: [{ ...key, publicKey: weak }] }, /takes a secret/],
      [{ keys: [{ algorithm: "ES256", publicKey: weak }] }, /curve prime256v1/],
      [{ keys: [{ algorithm: "RS256", publicKey: p256.publicKey }] }, /takes an RSA key/],
      [{ keys: [{ algorithm: "EdDSA", publicKey: p256.publicKey }] }, /takes an Ed25519 key/],
      [{ keys: [{ algorithm: "RS256", publicKey: rsa.privateKey }] }, /a private key/],
      [{ keys: [{ algorithm: "RS256", publicKey: "rubbish" }] }, /neither PEM nor JWK/],
      [{ keys: [key, key] }, /duplicate key for HS256 without id/],
      [
        {
          keys: [
            { ...key, id: "a" },
            { ...key, id: "a" },
          ],
        },
        /duplicate key "a"/,
      ],
      [{ clockToleranceMs: 60_001 }, /clockToleranceMs is 60001/],
      [{ issuer: "" }, /issuer is ""; expected a text or a list of texts/],
      [{ audience: [] }, /audience is an empty list; expected a text or a list of texts/],
      [{ services: undefined }, /services is missing; expected a list of service descriptors/],
      [{ defaultRule: "allow" }, /defaultRule is "allow"; expected one of deny, authenticated/],
      [{ defaultRule: "deny" }, /no rule for .*EchoService\/Unary/],
      [{ methods: { [`${echo}/Unray`]: "public" } }, /did you mean "tercel.interceptors.test.v1.EchoService\/Unary"/],
      [{ methods: { [`${echo}/Unary`]: "open" } }, /expected "public", "authenticated"/],
      [{ methods: { [`${echo}/Unary`]: { role: ["a"] } } }, /did you mean "roles"/],
      [{ methods: { [`${echo}/Unary`]: { roles: "a" } } }, /roles is "a"; expected a list of names/],
      [{ jwks: { url: "http://issuer.example/keys", algorithms: ["RS256"] } }, /https:/],
      [
        { jwks: { url: "https://issuer.example/keys", algorithms: [] } },
        /algorithms is an empty list; expected a list of algorithms/,
      ],
      [
        { jwks: { url: "https://issuer.example/keys", algorithms: ["HS256"] } },
        /jwks: algorithms\[0\] is "HS256"; expected one of RS256/,
      ],
    ];
    for (const [options, message] of wrong) {
      assert.throws(() => createAuth(authOptions(options as Partial<AuthOptions>)), message, String(message));
    }
  });
});
