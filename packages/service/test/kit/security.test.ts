// Who may call: service keys, tokens, TLS, as the configuration and the access rules say.
import assert from "node:assert/strict";
import { createHmac, hkdfSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { Code } from "@connectrpc/connect";
import { createChannel, createClient } from "@tercel/grpc";
import { assertStatus } from "@tercel/grpc/testing";
import { defineService, startService } from "@tercel/service";
import { type TestedService, testService } from "@tercel/service/testing";
import { createAuthority, withoutOpenssl } from "@tercel/test-support/certificates";
import { EchoService } from "../gen/tercel/service/test/v1/echo_pb.ts";

const key = "k".repeat(32);
const echo = defineService({
  routes(router) {
    router.service(EchoService, { unary: ({ text }) => ({ text }) });
  },
});

async function start(
  test: TestContext,
  definition: Parameters<typeof testService>[0],
  config: Record<string, unknown>,
) {
  const service = await testService(definition, { config });
  test.after(() => service.stop());
  return service;
}

/** A JWT (RFC 7519) as the configured issuer makes it. */
function token(secret: string, claims: object, kid: object = {}): string {
  const body = [
    { alg: "HS256", typ: "JWT", ...kid },
    { exp: Math.floor(Date.now() / 1000) + 60, ...claims },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  return `${body}.${createHmac("sha256", secret).update(body).digest("base64url")}`;
}

describe("a service with a service key", () => {
  it("is called with the key in either header, and not without; its health is open", async (t) => {
    const service = await start(t, echo, { security: { service_auth_key: key }, service: { insecure: true } });
    const client = service.client(EchoService);
    for (const header of ["x-service-key", "service-auth-key"]) {
      assert.equal((await client.unary({ text: "a" }, { headers: { [header]: key } })).text, "a");
      await assertStatus(client.unary({}, { headers: { [header]: "w".repeat(32) } }), Code.Unauthenticated);
    }
    await assertStatus(client.unary({}), Code.Unauthenticated, "missing service key");
    assert.equal((await createClient(service.health.service, service.transport).check({})).status, 1);
  });
});

describe("a service with access rules", () => {
  const path = `${EchoService.typeName}/*`;
  const guarded = defineService({ ...echo, access: { [path]: { roles: ["admin"] } } });
  const secret = "s".repeat(32);
  const jwt = { issuer: "https://login.example", audience: "echo", secret };

  it("knows in development the services that its rules name and that have its secret, and takes any other key for none", async (t) => {
    const secret = "s".repeat(32);
    const keyOf = (service: string, of = secret) =>
      Buffer.from(hkdfSync("sha256", of, "", `tercel service key of ${service}`, 32)).toString("hex");
    const half = defineService({
      access: { [path]: "public", [`${EchoService.typeName}/Unary`]: { callers: ["orders"] } },
      routes(router) {
        router.service(EchoService, {
          unary: ({ text }) => ({ text }),
          clientStream: async () => ({ text: "open" }),
        });
      },
    });
    const service = await start(t, half, { security: { secret } });
    const client = service.client(EchoService);
    const withKey = (key: string) => ({ headers: { "x-service-key": key } });
    assert.equal((await client.unary({ text: "a" }, withKey(keyOf("orders")))).text, "a");
    for (const key of [keyOf("users"), keyOf("orders", "t".repeat(32)), "w".repeat(64)]) {
      await assertStatus(client.unary({}, withKey(key)), Code.Unauthenticated);
    }
    async function* nothing() {}
    assert.equal((await client.clientStream(nothing(), withKey("w".repeat(64)))).text, "open");
  });

  it("lets in whom the rule names, by tokens of the configured issuer", async (t) => {
    const service = await start(t, guarded, { security: { jwt } });
    const client = service.client(EchoService);
    const as = (claims: object) => ({
      headers: { authorization: `Bearer ${token(secret, { iss: jwt.issuer, aud: "echo", ...claims })}` },
    });
    assert.equal((await client.unary({ text: "a" }, as({ roles: ["admin"] }))).text, "a");
    await assertStatus(client.unary({}, as({ roles: ["user"] })), Code.PermissionDenied);
    await assertStatus(client.unary({}, as({ roles: ["admin"], iss: "https://other.example" })), Code.Unauthenticated);
    await assertStatus(client.unary({}), Code.Unauthenticated);
  });

  it("may make them of its configuration", async (t) => {
    const byName = defineService({
      ...echo,
      access: ({ config }) => ({ [path]: config.service.name === "open" ? "public" : { roles: ["admin"] } }),
    });
    const open = await start(t, byName, { service: { name: "open" } });
    assert.equal((await open.client(EchoService).unary({ text: "a" })).text, "a");
    const closed = await start(t, byName, { service: { name: "closed" } });
    await assertStatus(closed.client(EchoService).unary({}), Code.Unauthenticated);
  });

  it("takes tokens that do not name the shared key, and those that name it as the configuration does", async (t) => {
    const claims = { iss: jwt.issuer, aud: "echo", roles: ["admin"] };
    const callWith = (service: TestedService, kid: object) =>
      service.client(EchoService).unary({}, { headers: { authorization: `Bearer ${token(secret, claims, kid)}` } });
    const service = await start(t, guarded, { security: { jwt } });
    await callWith(service, {});
    await callWith(service, { kid: "configured" });
    await assertStatus(callWith(service, { kid: "k1" }), Code.Unauthenticated);
    const named = await start(t, guarded, { security: { jwt: { ...jwt, key_id: "k1" } } });
    await callWith(named, {});
    await callWith(named, { kid: "k1" });
    await assertStatus(callWith(named, { kid: "configured" }), Code.Unauthenticated);
  });

  it("does not start while a method has no rule", async () => {
    const half = defineService({ ...echo, access: { [`${EchoService.typeName}/Unary`]: "public" } });
    await assert.rejects(testService(half), /EchoService\/ServerStream/);
  });

  it("does not start outside of development without an issuer of tokens", async () => {
    const config = { service: { port: 0, insecure: true } };
    const variables = { TERCEL_ENV: "production" };
    await assert.rejects(
      startService(guarded, { file: false, overlays: false, variables, config }),
      /access rules need a token issuer, but none is configured \(environment production\); set security\.jwt/,
    );
  });
});

describe("a service with a certificate", { skip: withoutOpenssl }, () => {
  it("serves TLS by the files of its configuration, and knows clients by theirs", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "tercel-security-"));
    const authority = createAuthority();
    t.after(() => {
      rmSync(folder, { recursive: true });
      authority.dispose();
    });
    const server = authority.issue({ names: ["DNS:localhost"] });
    const files = {
      cert_file: join(folder, "a.crt"),
      key_file: join(folder, "a.key"),
      ca_file: join(folder, "ca.crt"),
    };
    writeFileSync(files.cert_file, server.cert);
    writeFileSync(files.key_file, server.key);
    writeFileSync(files.ca_file, authority.cert);
    const service = await startService(echo, {
      file: false,
      overlays: false,
      variables: {},
      config: {
        service: { port: 0 },
        logging: { providers: { console: { level: "error" } } },
        communication: { providers: { grpc: { tls: { ...files, client_auth: "required" } } } },
      },
    });
    const { port } = service.address as { port: number };
    const call = async (tls: object): Promise<string> => {
      const channel = createChannel(`localhost:${port}`, {
        tls: { ca: authority.cert, ...tls },
        defaultTimeoutMs: 20_000,
      });
      try {
        return (await createClient(EchoService, channel).unary({ text: "a" })).text;
      } finally {
        await channel.close();
      }
    };
    assert.equal(await call(authority.issue({ commonName: "orders" })), "a");
    await assertStatus(call({}), Code.Unavailable);
    assert.equal((await service.stop()).exitCode, 0);
  });
});
