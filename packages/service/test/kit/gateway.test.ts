// REST, Connect and gRPC-Web of a service, over real sockets: where they are served, and with what.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";
import { describe, it, type TestContext } from "node:test";
import { createChannel, createClient } from "@tercel/grpc";
import { type Definition, defineService, type Needs, type RunningService, startService } from "@tercel/service";
import type { Provider } from "@tercel/service/providers";
import { createAuthority, createSelfSigned, withoutOpenssl } from "@tercel/test-support/certificates";
import { EchoService } from "../gen/tercel/service/test/v1/echo_pb.ts";
import { onEnd } from "./on-end.ts";
import { configOf, createRecorder } from "./recorded-parts.ts";

const quiet = { logging: { providers: { console: { level: "error" } } } };
const method = `/${EchoService.typeName}/Unary`;

const echo = defineService({
  routes(router) {
    router.service(EchoService, { unary: ({ text }) => ({ text }) });
  },
});

async function start<N extends Needs>(
  test: TestContext,
  definition: Definition<N>,
  config: object,
): Promise<RunningService> {
  const service = await startService(definition, {
    file: false,
    overlays: false,
    variables: {},
    config: { ...quiet, ...config },
  });
  onEnd(test, () => service.stop());
  return service;
}

function urlOf(service: RunningService, path: string): string {
  const { host, port } = service.httpAddress as { readonly host: string; readonly port: number };
  return `http://${host}:${port}${path}`;
}

/** A call as Connect's clients make it. */
function call(service: RunningService, init: RequestInit = {}): Promise<Response> {
  const headers = { "content-type": "application/json", ...init.headers };
  return fetch(urlOf(service, method), { method: "POST", body: '{"text":"hi"}', ...init, headers });
}

async function answersGrpc(test: TestContext, service: RunningService): Promise<boolean> {
  const { host, port } = service.address as { readonly host: string; readonly port: number };
  const channel = createChannel(`${host}:${port}`);
  onEnd(test, () => channel.close());
  return (await createClient(EchoService, channel).unary({ text: "hi" })).text === "hi";
}

describe("a service with communication.providers.http", () => {
  it("serves everything on the port of gRPC: gRPC, Connect, pages and metrics", async (t) => {
    const service = await start(t, echo, { service: { port: 0 }, communication: { providers: { http: {} } } });
    assert.deepEqual(service.httpAddress, service.address);
    assert.ok(await answersGrpc(t, service));
    assert.deepEqual(await (await call(service)).json(), { text: "hi" });
    assert.deepEqual(await (await fetch(urlOf(service, "/health"))).json(), { status: "SERVING" });
    const away = await fetch(urlOf(service, "/other"));
    assert.deepEqual(
      [away.status, ((await away.json()) as { error: { status: string } }).error.status],
      [404, "NOT_FOUND"],
    );
    assert.equal((await fetch(urlOf(service, "/health"), { method: "POST" })).status, 405);
  });

  it("has a port of its own for them where one is set, with the same handlers and health", async (t) => {
    const service = await start(t, echo, { service: { port: 0 }, communication: { providers: { http: { port: 0 } } } });
    assert.notDeepEqual(service.httpAddress, service.address);
    assert.ok(await answersGrpc(t, service));
    assert.deepEqual(await (await call(service)).json(), { text: "hi" });
    assert.equal((await fetch(urlOf(service, "/ready"))).status, 200);
  });

  it("lets the pages call that it names, describes itself in development, and serves what the code adds", async (t) => {
    const withPage = defineService({
      ...echo,
      gateway: { fallback: ({ url }) => new Response(`page ${new URL(url).pathname}`) },
    });
    const origin = "https://app.example.com";
    const service = await start(t, withPage, {
      service: { port: 0, name: "echo", version: "v1.2.0" },
      communication: { providers: { http: { cors: { origins: [origin], credentials: true } } } },
    });
    const allowed = await call(service, { headers: { origin } });
    assert.equal(allowed.headers.get("access-control-allow-origin"), origin);
    assert.equal(allowed.headers.get("access-control-allow-credentials"), "true");
    const other = await call(service, { headers: { origin: "https://elsewhere.example" } });
    assert.equal(other.headers.get("access-control-allow-origin"), null);
    const { info } = (await (await fetch(urlOf(service, "/openapi.json"))).json()) as { info: object };
    assert.deepEqual(info, { title: "echo", version: "v1.2.0" });
    assert.equal(await (await fetch(urlOf(service, "/shop"))).text(), "page /shop");
    assert.equal((await fetch(urlOf(service, "/health"))).status, 200);
  });

  it("lets a call over HTTP/1.1 end before it stops", async (t) => {
    const entered = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const slow = defineService({
      routes(router) {
        router.service(EchoService, {
          async unary({ text }) {
            entered.resolve();
            await release.promise;
            return { text };
          },
        });
      },
    });
    const service = await start(t, slow, { service: { port: 0 }, communication: { providers: { http: { port: 0 } } } });
    const answered = call(service);
    await entered.promise;
    const stopped = service.stop();
    release.resolve();
    assert.deepEqual(await (await answered).json(), { text: "hi" });
    assert.equal((await stopped).exitCode, 0);
    await assert.rejects(fetch(urlOf(service, "/health")));
  });

  it("refuses credentials from every origin, and an origin with a path, before it starts", async () => {
    const startWith = (cors: object) =>
      startService(echo, {
        file: false,
        overlays: false,
        variables: {},
        config: { communication: { providers: { http: { cors } } } },
      });
    await assert.rejects(
      startWith({ origins: ["*"], credentials: true }),
      /cors\.credentials.*cannot be true while origins contains \*; list the origins/,
    );
    await assert.rejects(startWith({ origins: ["https://a.example/app"] }), /origins\[0\].*without a path/);
  });
});

describe("a service with an HTTP port that only service.port names", () => {
  const twoPorts = { service: { port: 0 }, communication: { providers: { grpc: { port: 0 } } } };

  it("serves calls there as well, while gRPC is cleartext", async (t) => {
    const service = await start(t, echo, twoPorts);
    assert.deepEqual(await (await call(service)).json(), { text: "hi" });
  });

  it("serves pages alone where calls are switched off", async (t) => {
    const service = await start(t, echo, {
      ...twoPorts,
      communication: { providers: { grpc: { port: 0 }, http: { enabled: false } } },
    });
    assert.equal(service.httpAddress, undefined);
    assert.ok(await answersGrpc(t, service));
  });
});

describe("a service with TLS", { skip: withoutOpenssl }, () => {
  it("tells its registry whether the pages that are checked have TLS: where calls are on the same port", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "tercel-gateway-"));
    onEnd(t, () => rmSync(folder, { recursive: true }));
    const { key, cert } = createSelfSigned();
    const tls = { cert_file: join(folder, "a.crt"), key_file: join(folder, "a.key") };
    writeFileSync(tls.cert_file, cert);
    writeFileSync(tls.key_file, key);
    const seen: (boolean | undefined)[] = [];
    const recorder = createRecorder();
    const provider: Provider<object, string> = {
      ...recorder.provider("cache"),
      open(config, host) {
        seen.push(host.httpServesTls);
        return recorder.provider("cache").open(config, host);
      },
    };
    const needy = defineService({ ...echo, providers: [provider], needs: { cached: recorder.need("cache") } });
    for (const more of [
      { communication: { providers: { grpc: { port: 0, tls }, http: { port: 0 } } } },
      { communication: { providers: { grpc: { port: 0, tls }, http: {} } } },
      // service.port alone names it, so that there are pages and no calls.
      { communication: { providers: { grpc: { port: 0, tls } } } },
    ]) {
      const service = await start(t, needy, { ...configOf("cache"), service: { port: 0 }, ...more });
      await service.stop();
    }
    assert.deepEqual(seen, [true, true, false]);
  });

  it("serves calls over HTTP with the same certificate, and never next to it in cleartext", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "tercel-gateway-"));
    const authority = createAuthority();
    onEnd(t, () => {
      rmSync(folder, { recursive: true });
      authority.dispose();
    });
    const { key, cert } = authority.issue({ names: ["IP:127.0.0.1"] });
    const tls = { cert_file: join(folder, "a.crt"), key_file: join(folder, "a.key") };
    writeFileSync(tls.cert_file, cert);
    writeFileSync(tls.key_file, key);
    const implied = await start(t, echo, {
      service: { port: 0 },
      communication: { providers: { grpc: { port: 0, tls } } },
    });
    assert.equal(implied.httpAddress, undefined);
    const meant = await start(t, echo, {
      service: { port: 0 },
      communication: { providers: { grpc: { port: 0, tls }, http: { port: 0 } } },
    });
    const { port } = meant.httpAddress as { readonly port: number };
    const answer = new Promise<string>((resolve, reject) => {
      const asking = httpsRequest(
        { host: "127.0.0.1", port, path: method, method: "POST", ca: authority.cert, agent: false },
        (response) => resolve(readText(response)),
      );
      asking.on("error", reject);
      asking.setHeader("content-type", "application/json");
      asking.end('{"text":"hi"}');
    });
    assert.deepEqual(JSON.parse(await answer), { text: "hi" });
  });
});
