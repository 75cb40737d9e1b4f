import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createChannel, createServer } from "@tercel/grpc";
import { type BalancerFactory, createReadyEndpointsBalancer, resultsOf, resultWithPlace } from "@tercel/grpc/balancing";
import type { ResolverFactory, ResolverListener } from "@tercel/grpc/naming";
import { createFakeClock } from "@tercel/grpc/testing";
import { createOccasion, quiet } from "@tercel/test-support/async";
import { EchoService } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { echoRoutes } from "./support/open-echo.ts";

/** A channel whose calls wait until the test lets the name resolve, and which counts whom it picks for. */
async function open(t: TestContext) {
  const executed: number[] = [];
  const server = createServer({
    routes: echoRoutes({
      unary({ count }) {
        executed.push(count);
        return { count };
      },
    }),
  });
  const { port } = await server.listen({ port: 0 });
  const { happened, happen } = createOccasion<ResolverListener>();
  const resolver: ResolverFactory = {
    scheme: "late",
    create(_target, listener) {
      happen(listener);
      return { resolveNow() {}, close() {} };
    },
  };
  const clock = createFakeClock();
  let picks = 0;
  const counting: BalancerFactory = {
    policyName: "counting",
    create: (host) =>
      createReadyEndpointsBalancer(host, {
        createPicker(ready) {
          const results = resultsOf(ready);
          return {
            dependsOnCall: true,
            pick() {
              picks++;
              return resultWithPlace(results, 0);
            },
            describe: () => "full",
          };
        },
      }),
  };
  const channel = createChannel("late:///x", {
    resolvers: [resolver],
    balancers: [counting],
    serviceConfig: { loadBalancingConfig: [{ counting: {} }] },
    waitForReady: true,
    clock,
  });
  t.after(async () => {
    await channel.close();
    await server.close({ deadlineMs: 0 });
  });
  return {
    clock,
    channel,
    client: createClient(EchoService, channel),
    executed,
    picks: () => picks,
    async resolve() {
      (await happened).onResult({ endpoints: [{ addresses: [{ host: "127.0.0.1", port }] }] });
    },
  };
}

const codeOf = (error: unknown): Code => ConnectError.from(error).code;

describe("a call that ends while it waits to be picked for", () => {
  it("leaves the queue at once, where grpc-js keeps it until the next picker", async (t) => {
    const { channel, client, clock, resolve, picks, executed } = await open(t);
    const controller = new AbortController();
    const cancelled = Array.from({ length: 500 }, (_, count) =>
      client.unary({ count }, { signal: controller.signal }).catch(codeOf),
    );
    const expired = Array.from({ length: 500 }, (_, count) =>
      client.unary({ count }, { timeoutMs: 1000 }).catch(codeOf),
    );
    const waiting = client.unary({ count: 1000 });
    await quiet();
    assert.equal(channel.explain().calls.waiting, 1001);
    controller.abort();
    assert.equal(channel.explain().calls.waiting, 501);
    await clock.advance(1100);
    assert.equal(channel.explain().calls.waiting, 1);
    assert.deepEqual(new Set(await Promise.all(cancelled)), new Set([Code.Canceled]));
    assert.deepEqual(new Set(await Promise.all(expired)), new Set([Code.DeadlineExceeded]));
    assert.equal(channel.explain().calls.open, 1);
    await resolve();
    assert.equal((await waiting).count, 1000);
    assert.equal(picks(), 1);
    assert.deepEqual(executed, [1000]);
  });
});
