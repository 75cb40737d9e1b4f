import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { it, type TestContext } from "node:test";
import {
  createMetricsHandler,
  createRegistry,
  observeProcess,
  observeServer,
  type Registry,
  renderMetrics,
} from "./index.ts";

async function serve(t: TestContext, registry: Registry): Promise<string> {
  const server = createServer(createMetricsHandler(registry));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
}

it("serves the format that the scraper prefers", async (t) => {
  const registry = createRegistry();
  registry.counter("calls_total", { help: "h" }).with().add();
  const url = await serve(t, registry);
  const plain = await fetch(url);
  assert.equal(plain.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  assert.match(await plain.text(), /^# TYPE calls_total counter$/m);
  const prometheus =
    "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;q=0.3";
  const open = await fetch(url, { headers: { accept: prometheus } });
  assert.equal(open.headers.get("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
  assert.match(await open.text(), /^# TYPE calls counter$[\s\S]*# EOF\n$/m);
  const refusing = await fetch(url, { headers: { accept: "application/openmetrics-text;q=0, text/plain" } });
  assert.match(refusing.headers.get("content-type") ?? "", /^text\/plain/);
  await refusing.text();
});

it("renders the same page for other servers, or an error", async () => {
  const registry = createRegistry();
  registry.counter("calls_total", { help: "h" }).with().add();
  const page = await renderMetrics(registry, "application/openmetrics-text");
  assert.deepEqual([page.status, page.contentType.split(";")[0]], [200, "application/openmetrics-text"]);
  assert.match((await renderMetrics(registry)).body, /^calls_total 1$/m);
  registry.beforeCollect(() => {
    throw new Error("gone");
  });
  assert.deepEqual(await renderMetrics(registry, null), {
    status: 500,
    contentType: "text/plain; charset=utf-8",
    body: "the metrics cannot be read\n",
  });
});

it("serves HEAD without a body, and rejects other methods than GET and HEAD", async (t) => {
  const url = await serve(t, createRegistry());
  const head = await fetch(url, { method: "HEAD" });
  assert.deepEqual([head.status, await head.text()], [200, ""]);
  const post = await fetch(url, { method: "POST", body: "x" });
  assert.deepEqual([post.status, post.headers.get("allow"), await post.text()], [405, "GET, HEAD", ""]);
});

it("responds with 500 when a gauge cannot be updated, and continues", async (t) => {
  const registry = createRegistry();
  const url = await serve(t, registry);
  const stop = registry.beforeCollect(() => {
    throw new Error("gone");
  });
  const failed = await fetch(url);
  assert.equal(failed.status, 500);
  assert.doesNotMatch(await failed.text(), /gone/);
  stop();
  const fine = await fetch(url);
  assert.equal(fine.status, 200);
  await fine.text();
});

it("updates the metrics of the process and its connections until it is stopped", async (t) => {
  const registry = createRegistry();
  const stops = [observeProcess(registry), observeServer(registry, { openConnections: 3, openCalls: 7 })];
  const url = await serve(t, registry);
  const text = await (await fetch(url)).text();
  for (const name of [
    'process_cpu_seconds_total{mode="user"}',
    "process_resident_memory_bytes",
    "nodejs_heap_size_used_bytes",
    'nodejs_eventloop_delay_seconds{quantile="0.99"}',
  ]) {
    const line = text.split("\n").find((one) => one.startsWith(`${name} `));
    assert.ok(Number(line?.split(" ")[1]) >= 0, name);
  }
  assert.match(text, /^grpc_active_connections 3$/m);
  assert.match(text, /^grpc_active_calls 7$/m);
  for (const stop of stops) stop();
});
