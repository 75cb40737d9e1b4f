import assert from "node:assert/strict";
import { after, before, describe, it, type TestContext } from "node:test";
import { Code, createClient } from "@connectrpc/connect";
import { callInfo, createChannel, createServer, type Server, type ServerOptions } from "@tercel/grpc";
import { readErrorReason } from "@tercel/grpc/errors";
import { createHealth } from "@tercel/grpc/services";
import { assertStatus } from "@tercel/grpc/testing";
import { type Authority, createAuthority, type KeyPair, withoutOpenssl } from "@tercel/test-support/certificates";
import { EchoService, OtherService } from "../../test/gen/tercel/interceptors/test/v1/echo_pb.ts";
import { MachineService } from "../../test/gen/tercel/interceptors/test/v1/guarded_pb.ts";
import { answeringWith, callOfEachKind } from "../../test/support/all-kinds.ts";
import { openInMemory, recordingLog } from "../../test/support/open-echo.ts";
import { callerKey, createMtls, type MtlsOptions } from "./index.ts";

const echo = EchoService.typeName;
const orders = "spiffe://example.org/shop/orders";
const payments = "spiffe://example.org/shop/payments";

describe("createMtls", { skip: withoutOpenssl }, () => {
  let authority: Authority;
  let stranger: Authority;
  let server: KeyPair;
  const clients: Record<string, KeyPair> = {};

  before(() => {
    authority = createAuthority();
    stranger = createAuthority("Another CA");
    server = authority.issue({ names: ["DNS:localhost"] });
    clients.orders = authority.issue({ names: [`URI:${orders}`, "DNS:Orders.internal"] });
    clients.payments = authority.issue({ names: [`URI:${payments}`] });
    clients.dns = authority.issue({ names: ["DNS:orders.internal"] });
    clients.commonName = authority.issue({ commonName: orders });
    clients.twoIds = authority.issue({ names: [`URI:${orders}`, `URI:${payments}`] });
    clients.quoted = authority.issue({ names: [`URI:urn:a,URI:${orders}`] });
    clients.authority = authority.issue({ names: [`URI:${orders}`], isAuthority: true });
    clients.forged = stranger.issue({ names: [`URI:${orders}`] });
  });
  after(() => {
    authority.dispose();
    stranger.dispose();
  });

  /** A server that requests certificates but accepts connections without one, so that calls get a response. */
  async function serve(t: TestContext, options: MtlsOptions, tls: ServerOptions["tls"] = {}): Promise<Server> {
    const served = createServer({
      routes(router) {
        router.service(
          EchoService,
          answeringWith((values) => values.get(callerKey)?.name ?? "absent"),
        );
        router.service(MachineService, {
          either: (_request, { values }) => ({ subject: values.get(callerKey)?.name ?? "" }),
          open: (_request, { values }) => ({ subject: values.get(callerKey)?.name ?? "" }),
          program: () => ({}),
          token: () => ({}),
          known: () => ({}),
        });
        createHealth().routes(router);
      },
      tls: { ...server, ca: authority.cert, requestCert: true, rejectUnauthorized: false, ...tls },
      interceptors: [createMtls({ log: recordingLog().log, ...options })],
      log: recordingLog().log,
    });
    t.after(() => served.close({ deadlineMs: 0 }));
    return served;
  }

  async function open(t: TestContext, served: Server, pair?: KeyPair) {
    if (served.address === undefined) await served.listen({ port: 0 });
    const { port } = served.address as { port: number };
    const channel = createChannel(`localhost:${port}`, {
      tls: { ca: authority.cert, ...pair },
      defaultTimeoutMs: 10_000,
      log: recordingLog().log,
    });
    t.after(() => channel.close());
    return {
      client: createClient(EchoService, channel),
      machine: createClient(MachineService, channel),
      health: createClient(createHealth().service, channel),
    };
  }

  const onlyOrders: MtlsOptions = { services: [EchoService], methods: { [`${echo}/*`]: { callers: [orders] } } };

  for (const [kind, call] of callOfEachKind) {
    it(`identifies and rejects the callers of ${kind} calls`, async (t) => {
      const served = await serve(t, onlyOrders);
      assert.equal(await call((await open(t, served, clients.orders)).client), orders);
      const other = await assertStatus(call((await open(t, served, clients.payments)).client), Code.PermissionDenied);
      assert.equal(readErrorReason(other)?.reason, "CALLER_DENIED");
      assert.equal(readErrorReason(other)?.metadata.get("caller"), payments);
      const none = await assertStatus(call((await open(t, served)).client), Code.Unauthenticated);
      assert.equal(readErrorReason(none)?.reason, "CERTIFICATE_MISSING");
    });
  }

  const refused: readonly (readonly [what: string, client: string, reason: string])[] = [
    ["a certificate that another authority signed", "forged", "CERTIFICATE_MISSING"],
    ["a common name that looks like an id", "commonName", "CERTIFICATE_INVALID"],
    ["two SPIFFE ids", "twoIds", "CERTIFICATE_INVALID"],
    ["the id of an authority", "authority", "CERTIFICATE_INVALID"],
  ];
  for (const [what, name, reason] of refused) {
    it(`ignores ${what}`, async (t) => {
      const { client } = await open(t, await serve(t, onlyOrders), clients[name]);
      const error = await assertStatus(client.unary({}), Code.Unauthenticated);
      assert.equal(readErrorReason(error)?.reason, reason);
    });
  }

  it("reads a name with a comma as one name", async (t) => {
    const { client } = await open(t, await serve(t, onlyOrders), clients.quoted);
    await assert.rejects(client.unary({}), { code: Code.PermissionDenied });
  });

  it("logs the reasons for rejections at level debug", async (t) => {
    const { log, logged } = recordingLog();
    const { client } = await open(t, await serve(t, { ...onlyOrders, log }), clients.twoIds);
    await assertStatus(client.unary({}), Code.Unauthenticated);
    assert.deepEqual(
      logged.map(({ level, fields }) => [level, fields.method, fields.reason, fields.why]),
      [["debug", `${echo}/Unary`, "CERTIFICATE_INVALID", "it has a SPIFFE id and another URI"]],
    );
  });

  it("rejects an expired certificate, also on open connections", async (t) => {
    let nowMs = Date.now();
    let expiresAtMs = 0;
    const served = await serve(t, { ...onlyOrders, wallClockMs: () => nowMs });
    const { client } = await open(t, served, clients.orders);
    const noting = createServer({
      routes: (router) =>
        router.service(EchoService, {
          unary(_request, { values }) {
            expiresAtMs = values.get(callInfo)?.peerTls?.certificate?.expiresAtMs ?? 0;
            return {};
          },
        }),
      tls: { ...server, ca: authority.cert, requestCert: true },
    });
    t.after(() => noting.close({ deadlineMs: 0 }));
    await (await open(t, noting, clients.orders)).client.unary({});
    await client.unary({});
    nowMs = expiresAtMs - 1;
    await client.unary({});
    nowMs = expiresAtMs;
    const error = await assertStatus(client.unary({}), Code.Unauthenticated, "the certificate has expired");
    assert.equal(readErrorReason(error)?.reason, "CERTIFICATE_EXPIRED");
  });

  const lists: readonly (readonly [callers: string[], client: string, isAllowed: boolean])[] = [
    [["spiffe://example.org/shop/*"], "orders", true],
    [["spiffe://example.org/*"], "orders", true],
    [["spiffe://example.org/shop/orders/*"], "orders", false],
    [["spiffe://example.com/*"], "orders", false],
    [["dns:orders.internal"], "orders", true],
    [["dns:orders.internal"], "dns", true],
    [["orders.internal"], "dns", false],
    [["*"], "payments", true],
    [[], "orders", false],
  ];
  for (const [callers, name, isAllowed] of lists) {
    it(`${isAllowed ? "admits" : "rejects"} ${name} with callers ${JSON.stringify(callers)}`, async (t) => {
      const options: MtlsOptions = { services: [EchoService], methods: { [`${echo}/*`]: { callers } } };
      const { client } = await open(t, await serve(t, options), clients[name]);
      if (isAllowed) await client.unary({});
      else await assertStatus(client.unary({}), Code.PermissionDenied);
    });
  }

  it("applies the proto without rules in code, and does not check health", async (t) => {
    const options: MtlsOptions = { services: [MachineService] };
    const served = await serve(t, options);
    const known = await open(t, served, clients.orders);
    assert.equal((await known.machine.either({})).subject, orders);
    await known.machine.known({});
    for (const call of [known.machine.program({}), known.machine.token({})]) {
      await assertStatus(call, Code.PermissionDenied);
    }
    const unknown = await open(t, served);
    assert.equal((await unknown.machine.open({})).subject, "");
    await unknown.health.check({});
    await assertStatus(unknown.machine.known({}), Code.Unauthenticated);
    const denied = await assertStatus(known.client.unary({}), Code.PermissionDenied);
    assert.equal(readErrorReason(denied)?.reason, "METHOD_DENIED");
  });

  it("checks no rules with identifyOnly", async (t) => {
    const served = await serve(t, { identifyOnly: true });
    assert.equal((await (await open(t, served, clients.orders)).client.unary({})).text, orders);
    assert.equal((await (await open(t, served)).client.unary({})).text, "absent");
    const invalid = (await open(t, served, clients.commonName)).client;
    await assertStatus(invalid.unary({}), Code.Unauthenticated, "the certificate does not identify a workload");
  });

  it("identifies no one without TLS, or if the server does not request certificates", async (t) => {
    const inMemory = await openInMemory(t, {}, { server: { interceptors: [createMtls(onlyOrders)] } });
    await assertStatus(inMemory.client.unary({}), Code.Unauthenticated, /no verified certificate/);
    const served = await serve(t, onlyOrders, { requestCert: false });
    const { client } = await open(t, served, clients.orders);
    await assertStatus(client.unary({}), Code.Unauthenticated, /no verified certificate/);
  });

  const mistakes: readonly (readonly [what: string, options: MtlsOptions, message: RegExp])[] = [
    [
      "services that are missing",
      {},
      /services is missing; expected a list of service descriptors, or identifyOnly: true/,
    ],
    ["methods without a rule", { services: [OtherService] }, /no rule for .*OtherService\/Unary/],
    [
      "a rule for a method that is not there",
      { services: [EchoService], methods: { [`${echo}/Unari`]: "public" } },
      /did you mean ".*\/Unary"/,
    ],
    ["an unknown option", { identifyOnly: true, method: {} } as MtlsOptions, /did you mean "methods"/],
    ["methods next to identifyOnly", { identifyOnly: true, methods: {} }, /methods has no effect with identifyOnly/],
    [
      "a rule that is none",
      { services: [OtherService], methods: { [`${OtherService.typeName}/*`]: "private" as "public" } },
      /is "private"; expected "public", "authenticated", or callers/,
    ],
    [
      "an empty name",
      { services: [OtherService], methods: { [`${OtherService.typeName}/*`]: { callers: [""] } } },
      /callers\[0\] is ""; expected a text that is not empty/,
    ],
    [
      "a star within a segment",
      { services: [OtherService], methods: { [`${OtherService.typeName}/*`]: { callers: [`${orders}*`] } } },
      /expected "\*" only alone, or after the last slash of a URI/,
    ],
    [
      "a host that is a star",
      { services: [OtherService], methods: { [`${OtherService.typeName}/*`]: { callers: ["spiffe://*"] } } },
      /expected "\*" only alone/,
    ],
    [
      "another default",
      { services: [], defaultRule: "public" as "deny" },
      /defaultRule is "public"; expected one of deny, authenticated/,
    ],
  ];
  for (const [what, options, message] of mistakes) {
    it(`rejects ${what}`, () => assert.throws(() => createMtls(options), message));
  }
});
