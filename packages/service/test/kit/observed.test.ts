// What operators see of a service, over real sockets: pages, metrics, dependencies.
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { createRegistryService } from "@tercel/discovery/embedded";
import { createChannel, createClient, createServer } from "@tercel/grpc";
import { client, type Definition, defineService, type Needs, type RunningService, startService } from "@tercel/service";
import { EchoService } from "../gen/tercel/service/test/v1/echo_pb.ts";
import { onEnd } from "./on-end.ts";
import { configOf, createRecorder } from "./recorded-parts.ts";

const sources = { file: false, overlays: false, variables: {} } as const;
const quiet = { logging: { providers: { console: { level: "error" } } } };

function start<N extends Needs>(test: TestContext, definition: Definition<N>, config: object): Promise<RunningService> {
  const starting = startService(definition, { ...sources, config: { ...quiet, ...config } });
  onEnd(test, async () => (await starting.catch(() => undefined))?.stop());
  return starting;
}

async function page(url: string): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(url);
  return { status: response.status, text: await response.text() };
}

const echo = defineService({
  routes(router) {
    router.service(EchoService, { unary: ({ text }) => ({ text }) });
  },
});

/** A free port, for what must be known before it listens. */
async function freePort(): Promise<number> {
  const server = createServer({ routes() {} });
  const { port } = await server.listen({ port: 0 });
  await server.close();
  return port;
}

describe("a service that runs", () => {
  it("answers probes and scrapers on the port of gRPC where that is configured", async (t) => {
    const port = await freePort();
    const service = await start(t, echo, {
      service: { port },
      monitoring: { providers: { prometheus: { endpoint: `127.0.0.1:${port}` } } },
    });
    assert.deepEqual(service.address, { host: "127.0.0.1", port });
    const channel = createChannel(`127.0.0.1:${port}`);
    onEnd(t, () => channel.close());
    assert.equal((await createClient(EchoService, channel).unary({ text: "a" })).text, "a");
    assert.deepEqual(await page(`http://127.0.0.1:${port}/ready`), { status: 200, text: '{"status":"SERVING"}\n' });
    const metrics = await page(`http://127.0.0.1:${port}/metrics`);
    assert.match(metrics.text, /^grpc_server_requests_total\{.*method="Unary",status="OK"\} 1$/m);
    assert.match(metrics.text, /^grpc_service_requests_total\{.*method="Unary"\} 1$/m);
    assert.match(metrics.text, /^grpc_service_latency_seconds_count\{.*method="Unary"\} 1$/m);
    assert.match(metrics.text, /^process_resident_memory_bytes \d+$/m);
    assert.equal((await page(`http://127.0.0.1:${port}/other`)).status, 404);
  });

  it("says on /ready why it is not, and comes back", async (t) => {
    const recorder = createRecorder("check database");
    const httpPort = await freePort();
    const needy = defineService({
      providers: [recorder.provider("database")],
      needs: { db: recorder.need("database") },
      routes: () => {},
    });
    const service = await start(t, needy, {
      ...configOf("database"),
      service: { port: httpPort },
      communication: { providers: { grpc: { port: 0 } } },
    });
    const ready = await page(`http://127.0.0.1:${httpPort}/ready`);
    assert.equal(ready.status, 503);
    assert.deepEqual(JSON.parse(ready.text), {
      status: "NOT_SERVING",
      reasons: ["database in a test: database is away"],
    });
    await service.stop();
    await assert.rejects(page(`http://127.0.0.1:${httpPort}/ready`));
  });
});

/** A registry that this test hosts. */
async function hostRegistry(test: TestContext): Promise<string> {
  const hosted = createRegistryService();
  const server = createServer({ routes: hosted.routes });
  const { port } = await server.listen({ port: 0 });
  onEnd(test, async () => {
    hosted.close();
    await server.close({ deadlineMs: 0 });
  });
  return `127.0.0.1:${port}`;
}

describe("services that find each other", () => {
  it("call by name, and are ready as soon as what they require is", async (t) => {
    const target = await hostRegistry(t);
    const discovery = { discovery: { providers: { embedded: { target } } } };
    const front = defineService({
      needs: { back: client(EchoService, "back") },
      routes(router, { back }) {
        router.service(EchoService, {
          unary: async ({ text }) => ({ text: `front, ${(await back.unary({ text })).text}` }),
        });
      },
    });
    const httpPort = await freePort();
    const service = await start(t, front, {
      ...discovery,
      service: { name: "front", port: httpPort },
      communication: { providers: { grpc: { port: 0 } } },
      dependencies: [{ name: "back", version: "v1", required: true }],
    });
    const early = JSON.parse((await page(`http://127.0.0.1:${httpPort}/ready`)).text) as { reasons: string[] };
    assert.match(
      early.reasons[0] ?? "",
      new RegExp(`^back v1: no instance at the embedded registry at ${target} \\(asked \\d+ s ago\\)$`),
    );
    const other = await start(t, echo, { ...discovery, service: { name: "back", version: "v2.0.1", port: 0 } });
    await other.stop();
    await start(t, echo, { ...discovery, service: { name: "back", version: "v1.4.0", port: 0 } });
    const { host, port } = service.address as { host: string; port: number };
    const channel = createChannel(`${host}:${port}`, { defaultTimeoutMs: 20_000 });
    onEnd(t, () => channel.close());
    assert.equal((await createClient(EchoService, channel).unary({ text: "hi" })).text, "front, hi");
  });

  it("do not start without a way to what they need, and say what to add", async (t) => {
    const front = defineService({ needs: { back: client(EchoService, "back") }, routes: () => {} });
    await assert.rejects(
      start(t, front, { service: { port: 0 } }),
      /^Error: cannot find back: no discovery is configured; add to the configuration:\ndiscovery:\n {2}providers:\n {4}embedded: \{\}/,
    );
  });
});
