import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { create } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  createClient,
  createRouterTransport,
  type HandlerContext,
  type ServiceImpl,
} from "@connectrpc/connect";
import {
  HealthCheckRequestSchema,
  type HealthCheckResponse,
  Health as HealthService,
  HealthCheckResponse_ServingStatus as Status,
} from "../../gen/grpc/health/v1/health_pb.ts";
import { createHealth, type Health, maxListedServices } from "./health.ts";

function setUp() {
  const health = createHealth();
  const client = createClient(HealthService, createRouterTransport(health.routes));
  return { health, client };
}

/** Reads a watch stream step by step. */
function watch(client: ReturnType<typeof setUp>["client"], service: string) {
  const controller = new AbortController();
  const stream = client.watch({ service }, { signal: controller.signal })[Symbol.asyncIterator]();
  return {
    async next(): Promise<Status | undefined> {
      const result: IteratorResult<HealthCheckResponse> = await stream.next();
      return result.done ? undefined : result.value.status;
    },
    cancel: () => controller.abort(),
  };
}

async function codeOf(call: Promise<unknown>): Promise<Code> {
  return call.then(
    () => assert.fail("did not fail"),
    (error) => ConnectError.from(error).code,
  );
}

test("reports the server as serving at the start", async () => {
  const { health, client } = setUp();
  assert.equal(health.status(""), "SERVING");
  assert.equal((await client.check({})).status, Status.SERVING);
});

test("checks the status that was set", async () => {
  const { health, client } = setUp();
  health.setStatus("a.B", "NOT_SERVING");
  assert.equal((await client.check({ service: "a.B" })).status, Status.NOT_SERVING);
  health.setStatus("a.B", "SERVING");
  assert.equal((await client.check({ service: "a.B" })).status, Status.SERVING);
  health.setStatus("a.B", "UNKNOWN");
  assert.equal((await client.check({ service: "a.B" })).status, Status.UNKNOWN);
});

test("fails a check of an unknown service with NotFound", async () => {
  const { health, client } = setUp();
  for (const service of ["a.B", "toString", "__proto__"]) {
    assert.equal(health.status(service), undefined);
    assert.equal(await codeOf(client.check({ service })), Code.NotFound);
  }
});

test("lists every service with its status", async () => {
  const { health, client } = setUp();
  health.setStatus("a.B", "NOT_SERVING");
  const { statuses } = await client.list({});
  assert.deepEqual(
    Object.entries(statuses).map(([name, { status }]) => [name, status]),
    [
      ["", Status.SERVING],
      ["a.B", Status.NOT_SERVING],
    ],
  );
});

test("lists a hundred services and refuses one more", async () => {
  const { health, client } = setUp();
  for (let n = 1; n < maxListedServices; n++) health.setStatus(`s${n}`, "SERVING");
  assert.equal(Object.keys((await client.list({})).statuses).length, 100);
  health.setStatus("one more", "SERVING");
  assert.equal(await codeOf(client.list({})), Code.ResourceExhausted);
});

test("watches a service from its present status through each change", async () => {
  const { health, client } = setUp();
  const watcher = watch(client, "");
  assert.equal(await watcher.next(), Status.SERVING);
  health.setStatus("", "NOT_SERVING");
  assert.equal(await watcher.next(), Status.NOT_SERVING);
  health.setStatus("", "SERVING");
  assert.equal(await watcher.next(), Status.SERVING);
  watcher.cancel();
});

test("tells a watcher of an unknown service so, and when it becomes known", async () => {
  const { health, client } = setUp();
  const watcher = watch(client, "a.B");
  assert.equal(await watcher.next(), Status.SERVICE_UNKNOWN);
  health.setStatus("other", "SERVING");
  health.setStatus("a.B", "SERVING");
  assert.equal(await watcher.next(), Status.SERVING);
  watcher.cancel();
});

test("tells a watcher nothing when a status is set again unchanged", async () => {
  const { health, client } = setUp();
  const watcher = watch(client, "");
  assert.equal(await watcher.next(), Status.SERVING);
  const next = watcher.next();
  health.setStatus("", "SERVING");
  health.setStatus("", "NOT_SERVING");
  assert.equal(await next, Status.NOT_SERVING);
  watcher.cancel();
});

test("tells every watcher of a service", async () => {
  const { health, client } = setUp();
  const watchers = [watch(client, "x"), watch(client, "x"), watch(client, "x")];
  for (const watcher of watchers) assert.equal(await watcher.next(), Status.SERVICE_UNKNOWN);
  watchers[1]?.cancel();
  health.setStatus("x", "SERVING");
  assert.equal(await watchers[0]?.next(), Status.SERVING);
  assert.equal(await watchers[2]?.next(), Status.SERVING);
  for (const watcher of watchers) watcher.cancel();
});

/** A watch without a transport, which would read ahead. */
function watchDirectly(health: Health, service: string, signal: AbortSignal): AsyncIterator<HealthCheckResponse> {
  let implementation: Partial<ServiceImpl<typeof HealthService>> | undefined;
  const router = {
    service(_service: unknown, given: Partial<ServiceImpl<typeof HealthService>>) {
      implementation = given;
    },
  };
  health.routes(router as unknown as ConnectRouter);
  const responses = implementation?.watch?.(create(HealthCheckRequestSchema, { service }), {
    signal,
  } as HandlerContext);
  assert.ok(responses);
  return responses[Symbol.asyncIterator]() as AsyncIterator<HealthCheckResponse>;
}

test("tells a slow watcher the latest status only, and nothing of a change that was taken back", async () => {
  const health = createHealth();
  const watcher = watchDirectly(health, "", new AbortController().signal);
  const read = async () => ((await watcher.next()).value as HealthCheckResponse | undefined)?.status;
  assert.equal(await read(), Status.SERVING);
  health.setStatus("", "NOT_SERVING");
  health.setStatus("", "UNKNOWN");
  assert.equal(await read(), Status.UNKNOWN);
  health.setStatus("", "SERVING");
  health.setStatus("", "UNKNOWN");
  const next = read();
  health.setStatus("", "NOT_SERVING");
  assert.equal(await next, Status.NOT_SERVING);
  await watcher.return?.();
});

test("keeps nothing of watches that have ended", async () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage: () => void = runInNewContext("gc");
  const health = createHealth();
  async function watchOnce(n: number): Promise<void> {
    const controller = new AbortController();
    // A name of 20 KB that shares no memory with the others.
    const watcher = watchDirectly(health, Buffer.alloc(20_000, `${n} `).toString("latin1"), controller.signal);
    await watcher.next();
    controller.abort();
    assert.equal((await watcher.next()).done, true);
  }
  for (let n = 0; n < 50; n++) await watchOnce(n);
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  for (let n = 0; n < 2000; n++) await watchOnce(n);
  collectGarbage();
  assert.ok(process.memoryUsage().heapUsed - before < 8_000_000);
});

test("ends a watch when the caller cancels", async () => {
  const { client } = setUp();
  const watcher = watch(client, "");
  assert.equal(await watcher.next(), Status.SERVING);
  const next = watcher.next();
  watcher.cancel();
  assert.equal(await codeOf(next), Code.Canceled);
});

test("reports everything as not serving after shutdown, and stays so", async () => {
  const { health, client } = setUp();
  health.setStatus("a.B", "SERVING");
  const watcher = watch(client, "a.B");
  assert.equal(await watcher.next(), Status.SERVING);
  health.shutdown();
  assert.equal(await watcher.next(), Status.NOT_SERVING);
  health.setStatus("a.B", "SERVING");
  health.setStatus("new", "SERVING");
  assert.equal((await client.check({ service: "a.B" })).status, Status.NOT_SERVING);
  assert.equal((await client.check({})).status, Status.NOT_SERVING);
  assert.equal(health.status("new"), undefined);
  watcher.cancel();
});

test("ends watches when the server drains, after the last news", async () => {
  const { health, client } = setUp();
  const watching = watch(client, "");
  assert.equal(await watching.next(), Status.SERVING);
  health.shutdown();
  assert.equal(await watching.next(), Status.NOT_SERVING);
  health.endWatches();
  assert.equal(await codeOf(watching.next()), Code.Unavailable);
  const late = watch(client, "");
  assert.equal(await late.next(), Status.NOT_SERVING);
  assert.equal(await codeOf(late.next()), Code.Unavailable);
});

test("tells who follows a service of its status and of each change, and nothing else, until that is called off", () => {
  const { health } = setUp();
  const told: unknown[] = [];
  const stop = health.follow("a.B", (status) => told.push(status));
  health.setStatus("a.C", "SERVING");
  health.setStatus("a.B", "SERVING");
  health.setStatus("a.B", "SERVING");
  health.setStatus("a.B", "NOT_SERVING");
  stop();
  health.setStatus("a.B", "SERVING");
  assert.deepEqual(told, [undefined, "SERVING", "NOT_SERVING"]);
});
