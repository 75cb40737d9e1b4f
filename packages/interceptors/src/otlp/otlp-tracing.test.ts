import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { registerHooks } from "node:module";
import type { AddressInfo } from "node:net";
import { it, type TestContext } from "node:test";
import { context, createContextKey, trace } from "@opentelemetry/api";
import { openInMemory } from "../../test/support/open-echo.ts";
import { createServerRequestId, currentRequestId, runWithRequestId } from "../request-id/index.ts";
import { createClientTracing, createServerTracing } from "../tracing/index.ts";
import { startOtlpTracing } from "./index.ts";

interface Collected {
  readonly url: string | undefined;
  readonly key: string | string[] | undefined;
  readonly type: string | undefined;
  readonly body: Buffer;
}

/** A collector for spans. */
async function openCollector(t: TestContext): Promise<{ url: string; collected: Collected[] }> {
  const collected: Collected[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { "x-key": key, "content-type": type } = request.headers;
    collected.push({ url: request.url, key, type, body: Buffer.concat(chunks) });
    response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`, collected };
}

it("sends the spans of both sides to a collector, and removes its setup", async (t) => {
  const { url, collected } = await openCollector(t);
  const tracing = await startOtlpTracing({ service: "orders", version: "1.2.3", url, headers: { "x-key": "k" } });
  await assert.rejects(startOtlpTracing({ service: "again", url }), /already has a tracer provider/);
  const { client } = await openInMemory(
    t,
    { unary: () => ({}) },
    { server: { interceptors: [createServerTracing()] }, channel: { interceptors: [createClientTracing()] } },
  );
  await client.unary({});
  await tracing.flush();
  await tracing.shutdown();
  assert.deepEqual(
    collected.map(({ url: path, key, type }) => [path, key, type]),
    [["/v1/traces", "k", "application/x-protobuf"]],
  );
  const text = collected[0]?.body.toString("latin1") ?? "";
  for (const part of [
    "service.name",
    "orders",
    "1.2.3",
    "tercel.interceptors.test.v1.EchoService/Unary",
    "rpc.system.name",
  ]) {
    assert.ok(text.includes(part), part);
  }
  await client.unary({});
  assert.equal(collected.length, 1);
  await (await startOtlpTracing({ service: "a second time", url })).shutdown();
});

it("sends no span at sample rate 0", async (t) => {
  const { url, collected } = await openCollector(t);
  const tracing = await startOtlpTracing({ service: "orders", url, sampleRate: 0 });
  const { client } = await openInMemory(
    t,
    { unary: () => ({}) },
    { server: { interceptors: [createServerTracing()] } },
  );
  await client.unary({});
  await tracing.shutdown();
  assert.deepEqual(collected, []);
});

it("changes its sample rate for new traces", async (t) => {
  const { url, collected } = await openCollector(t);
  const tracing = await startOtlpTracing({ service: "orders", url, sampleRate: 0 });
  const { client } = await openInMemory(
    t,
    { unary: () => ({}) },
    { server: { interceptors: [createServerTracing()] } },
  );
  await client.unary({});
  assert.throws(() => tracing.setSampleRate(1.5), /sampleRate is 1\.5; expected a number from 0 to 1/);
  tracing.setSampleRate(1);
  await client.unary({});
  tracing.setSampleRate(0);
  await client.unary({});
  await tracing.shutdown();
  assert.equal(collected.length, 1);
});

it("propagates an unsampled trace unchanged, without a span, and follows a sampled one", async (t) => {
  const { url, collected } = await openCollector(t);
  const tracing = await startOtlpTracing({ service: "orders", url });
  const sent: (string | null)[] = [];
  const inner = await openInMemory(
    t,
    {
      unary(_request, { requestHeader }) {
        sent.push(requestHeader.get("traceparent"));
        return {};
      },
    },
    { channel: { interceptors: [createClientTracing()] } },
  );
  const outer = await openInMemory(
    t,
    {
      async unary() {
        await new Promise((resolve) => setImmediate(resolve));
        await inner.client.unary({});
        return { text: trace.getSpanContext(context.active())?.traceId ?? "" };
      },
    },
    { server: { interceptors: [createServerRequestId(), createServerTracing()] } },
  );
  const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
  const call = async (flags: string): Promise<string> =>
    (await outer.client.unary({}, { headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-${flags}` } })).text;
  assert.equal(await call("00"), traceId);
  await tracing.flush();
  assert.equal(collected.length, 0);
  assert.match(sent[0] ?? "", new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
  assert.equal(await call("01"), traceId);
  await tracing.shutdown();
  assert.equal(collected.length, 1);
  assert.match(sent[1] ?? "", new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
});

it("keeps the active context in functions that it runs and binds, together with the current call", async (t) => {
  const { url } = await openCollector(t);
  const tracing = await startOtlpTracing({ service: "orders", url });
  t.after(() => tracing.shutdown());
  const key = createContextKey("test");
  const valued = (value: string) => context.active().setValue(key, value);
  await runWithRequestId("r-1", async () => {
    await context.with(valued("outer"), async () => {
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(context.active().getValue(key), "outer");
      assert.equal(currentRequestId(), "r-1");
      const bound = context.bind(valued("bound"), () => context.active().getValue(key));
      context.with(valued("inner"), () => {
        assert.equal(context.active().getValue(key), "inner");
        assert.equal(bound(), "bound");
      });
      assert.equal(context.active().getValue(key), "outer");
    });
    assert.equal(context.active().getValue(key), undefined);
  });
});

it("names the packages to install without the SDK, in compatible versions", async () => {
  const hooks = registerHooks({
    resolve(specifier, hookContext, next) {
      if (specifier !== "@opentelemetry/resources") return next(specifier, hookContext);
      throw Object.assign(new Error(`Cannot find package '${specifier}'`), { code: "ERR_MODULE_NOT_FOUND" });
    },
  });
  try {
    const { startOtlpTracing: start } = (await import("./otlp-tracing.ts?absent" as string)) as {
      startOtlpTracing: typeof startOtlpTracing;
    };
    await assert.rejects(
      start({ service: "orders" }),
      /npm install @opentelemetry\/sdk-trace-node@2 @opentelemetry\/resources@2 /,
    );
  } finally {
    hooks.deregister();
  }
});

it("rejects invalid options", async () => {
  await assert.rejects(startOtlpTracing({ service: "" }), TypeError);
  await assert.rejects(startOtlpTracing({ service: "a", sampleRate: 2 }), RangeError);
  await assert.rejects(startOtlpTracing({ service: "a", samplerate: 1 } as never), /did you mean "sampleRate"/);
});
