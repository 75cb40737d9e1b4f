import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Code, createClient } from "@connectrpc/connect";
import { readErrorReason } from "@tercel/grpc/errors";
import { assertStatus, createInMemoryTransport } from "@tercel/grpc/testing";
import { GuardedService, MachineService } from "../../test/gen/tercel/interceptors/test/v1/guarded_pb.ts";
import { identifying } from "../../test/support/identifying.ts";
import { recordingLog } from "../../test/support/open-echo.ts";
import { audience, goodClaims, issuer, nowSeconds, sealed, secret } from "../../test/support/tokens.ts";
import { type AuthOptions, claimsKey, createAuth } from "./index.ts";

const machine = MachineService.typeName;

function open(t: TestContext, options: Partial<AuthOptions> = {}) {
  const transport = createInMemoryTransport({
    routes: (router) =>
      router.service(MachineService, {
        either: (_request, { values }) => ({ subject: values.get(claimsKey)?.sub ?? "" }),
        program: (_request, { values }) => ({ subject: values.get(claimsKey)?.sub ?? "" }),
        token: () => ({}),
        known: () => ({}),
        open: () => ({}),
      }),
    serverOptions: {
      log: recordingLog().log,
      interceptors: [
        identifying,
        createAuth({
          services: [MachineService],
          keys: [{ id: "hs", algorithm: "HS256", secret }],
          issuer,
          audience,
          log: recordingLog().log,
          wallClockMs: () => nowSeconds * 1000,
          ...options,
        }),
      ],
    },
  });
  t.after(() => transport.close({ deadlineMs: 0 }));
  return createClient(MachineService, transport);
}

interface Given {
  readonly name?: string;
  readonly claims?: object;
}

function as({ name, claims }: Given): { headers: Record<string, string> } {
  return {
    headers: {
      ...(name !== undefined && { "x-name": name }),
      ...(claims !== undefined && { authorization: `Bearer ${sealed({ ...goodClaims, ...claims })}` }),
    },
  };
}

const admin = { roles: ["admin"] };
const expired = { exp: nowSeconds - 60 };
const below = "spiffe://example.org/shop/stock";

describe("rules with callers", () => {
  const rows: readonly (readonly [
    method: "either" | "program" | "token" | "known" | "open",
    given: Given,
    reason: string | undefined,
  ])[] = [
    ["either", { name: "orders" }, undefined],
    ["either", { name: below }, undefined],
    ["either", { claims: admin }, undefined],
    ["either", { name: "stock", claims: admin }, undefined],
    ["either", { name: "orders", claims: {} }, undefined],
    ["either", { name: "orders", claims: expired }, "TOKEN_EXPIRED"],
    ["either", { name: "stock" }, "CALLER_DENIED"],
    ["either", { name: "stock", claims: {} }, "ROLE_MISSING"],
    ["either", { claims: {} }, "ROLE_MISSING"],
    ["either", {}, "TOKEN_MISSING"],
    ["program", { name: "orders" }, undefined],
    ["program", { name: "stock" }, "CALLER_DENIED"],
    ["program", { name: "stock", claims: admin }, "CALLER_DENIED"],
    ["program", { claims: admin }, "CALLER_UNKNOWN"],
    ["program", {}, "CALLER_UNKNOWN"],
    ["token", { name: "orders" }, "TOKEN_MISSING"],
    ["token", { name: "orders", claims: admin }, undefined],
    ["known", { name: "orders" }, "TOKEN_MISSING"],
    ["open", {}, undefined],
  ];
  for (const [method, given, reason] of rows) {
    const who = `${given.name ?? "no one"} with ${given.claims === undefined ? "no token" : JSON.stringify(given.claims)}`;
    it(`of ${method} ${reason === undefined ? "admit" : `reject with ${reason}`} ${who}`, async (t) => {
      const call = open(t)[method]({}, as(given));
      if (reason === undefined) await call;
      else assert.equal(readErrorReason(await call.catch((error) => error))?.reason, reason);
    });
  }

  it("give the handler the claims of the workload's user, if there is a token", async (t) => {
    const client = open(t);
    assert.equal((await client.program({}, as({ name: "orders", claims: {} }))).subject, "user-7");
    assert.equal((await client.program({}, as({ name: "orders" }))).subject, "");
  });

  it("in code take precedence over those in the proto", async (t) => {
    const methods = { [`${machine}/Token`]: { callers: ["orders"] } };
    const client = open(t, { methods });
    await client.token({}, as({ name: "orders" }));
    await assertStatus(client.token({}, as({ claims: admin })), Code.Unauthenticated);
  });

  it("are rejected unless they are a list of names", () => {
    const auth = (callers: unknown) => () =>
      createAuth({
        services: [GuardedService],
        keys: [{ id: "hs", algorithm: "HS256", secret }],
        issuer,
        audience,
        methods: { [`${GuardedService.typeName}/*`]: { callers: callers as string[] } },
      });
    assert.throws(auth("orders"), /callers is "orders"; expected a list of names/);
    assert.throws(auth(["ord*"]), /expected "\*" only alone/);
    assert.doesNotThrow(auth(["orders"]));
  });
});
