// How many calls a service runs at once, as its configuration says.
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Code } from "@connectrpc/connect";
import { readRetryAfterMs } from "@tercel/grpc/errors";
import { assertStatus } from "@tercel/grpc/testing";
import { defineService } from "@tercel/service";
import { type TestedService, testService } from "@tercel/service/testing";
import { EchoService } from "../gen/tercel/service/test/v1/echo_pb.ts";

/** A service whose calls run until they are let go, and which says when so many run. */
function held() {
  let running = 0;
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const { promise: mayEnd, resolve: release } = Promise.withResolvers<void>();
  const definition = defineService({
    routes(router) {
      router.service(EchoService, {
        async unary({ text }) {
          running += 1;
          for (const { count, resolve } of waiting) if (running >= count) resolve();
          await mayEnd;
          return { text };
        },
      });
    },
  });
  const run = (count: number): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.push({ count, resolve });
    if (running >= count) resolve();
    return promise;
  };
  return { definition, run, release };
}

async function start(
  test: TestContext,
  definition: Parameters<typeof testService>[0],
  config: Record<string, unknown> = {},
): Promise<TestedService> {
  const service = await testService(definition, { config });
  test.after(() => service.stop());
  return service;
}

const oneAtOnce = { initial_limit: 1, min_limit: 1, max_limit: 1 };

describe("a service under load", () => {
  it("runs as many calls at once as it has learned, and refuses what does not fit into the queue, with the time to wait", async (t) => {
    const { definition, run, release } = held();
    const service = await start(t, definition, { load_shedding: { ...oneAtOnce, max_queued: 0, retry_after: "2s" } });
    const client = service.client(EchoService);
    const first = client.unary({ text: "a" });
    await run(1);
    const refusal = await assertStatus(client.unary({ text: "b" }), Code.Unavailable, { reason: "OVERLOADED" });
    const retryAfterMs = readRetryAfterMs(refusal) ?? 0;
    assert.ok(retryAfterMs >= 2_000 && retryAfterMs <= 4_000, `${retryAfterMs} ms`);
    // Probes are answered whatever the load.
    assert.equal(service.health.status(""), "SERVING");
    release();
    assert.equal((await first).text, "a");
    assert.equal((await client.unary({ text: "c" })).text, "c");
  });

  it("lets calls wait for their turn before that", async (t) => {
    const { definition, run, release } = held();
    const service = await start(t, definition, { load_shedding: oneAtOnce });
    const client = service.client(EchoService);
    const first = client.unary({ text: "a" });
    await run(1);
    const second = client.unary({ text: "b" });
    release();
    assert.deepEqual([(await first).text, (await second).text], ["a", "b"]);
  });

  it("lets in at first all that one connection may open, unless it is told otherwise", async (t) => {
    const { definition, run, release } = held();
    const service = await start(t, definition, {
      communication: { providers: { grpc: { max_concurrent_streams: 300 } } },
      load_shedding: { max_queued: 0 },
    });
    const client = service.client(EchoService);
    const calls = Array.from({ length: 300 }, (_, at) => client.unary({ text: String(at) }));
    await run(300);
    release();
    assert.equal((await Promise.all(calls)).length, 300);
  });

  it("runs every call where load shedding is off, and those that are exempt where it is not", async (t) => {
    for (const load_shedding of [
      { ...oneAtOnce, max_queued: 0, enabled: false },
      { ...oneAtOnce, max_queued: 0, methods: { [`${EchoService.typeName}/Unary`]: "exempt" } },
    ]) {
      const { definition, run, release } = held();
      const service = await start(t, definition, { load_shedding });
      const client = service.client(EchoService);
      const calls = [client.unary({ text: "a" }), client.unary({ text: "b" })];
      await run(2);
      release();
      assert.equal((await Promise.all(calls)).length, 2);
    }
  });

  it("does not start with a priority for a method that it does not have", async () => {
    const methods = { [`${EchoService.typeName}/Unari`]: "critical" };
    await assert.rejects(
      testService(held().definition, { config: { load_shedding: { methods } } }),
      /createLoadShedding: methods names "tercel\.service\.test\.v1\.EchoService\/Unari".*did you mean "tercel\.service\.test\.v1\.EchoService\/Unary"\?/,
    );
  });
});
