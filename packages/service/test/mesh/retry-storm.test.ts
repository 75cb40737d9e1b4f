// A retry storm that only some orders of events set off: found by trying seeds, repeated by its seed, ended by a circuit breaker.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { unavailable } from "@tercel/grpc/errors";
import { client, defineService } from "@tercel/service";
import { type MeshEvent, testMesh } from "@tercel/service/testing";
import { EchoService } from "../gen/tercel/service/test/v1/echo_pb.ts";

/** Both callers try again, so that one call from outside can become sixteen at the end of the chain. */
const retry = { max_attempts: 4, initial_backoff: "20ms", max_backoff: "40ms" };
const offeredCalls = 60;
const offeredWithinMs = 600;
/** More than is offered, and less than what is offered with retries. */
const capacityWithin50Ms = 8;
const recoveryMs = 25;

interface Run {
  readonly events: readonly MeshEvent[];
  readonly succeeded: number;
  /** Calls that reached the end of the chain, for each that was offered. */
  readonly amplification: number;
}

function calling(next: string) {
  return defineService({
    needs: { next: client(EchoService, next) },
    routes(router, { next: other }) {
      router.service(EchoService, { unary: (request) => other.unary(request) });
    },
  });
}

async function run(seed: number, more: object = {}): Promise<Run> {
  let nowMs = (): number => 0;
  let window = { atMs: 0, calls: 0 };
  let overloadedUntilMs = 0;
  const stock = defineService({
    routes(router) {
      router.service(EchoService, {
        // A service that each call keeps busy while it is overloaded: it recovers when it is left alone for a moment.
        unary() {
          const atMs = Math.floor(nowMs() / 50);
          window = window.atMs === atMs ? { atMs, calls: window.calls + 1 } : { atMs, calls: 1 };
          if (window.calls > capacityWithin50Ms || nowMs() < overloadedUntilMs) {
            overloadedUntilMs = nowMs() + recoveryMs;
            throw unavailable("overloaded");
          }
          return {};
        },
      });
    },
  });
  const toStock = { name: "stock", retry, timeout: "2s", ...more };
  const toOrders = { name: "orders", retry, timeout: "2s", ...more };
  const mesh = await testMesh(
    [
      { name: "web", definition: calling("orders"), config: { dependencies: [toOrders] } },
      { name: "orders", definition: calling("stock"), config: { dependencies: [toStock] } },
      { name: "stock", definition: stock },
    ],
    { seed, latencyMs: [1, 20], lossRate: 0.01 },
  );
  nowMs = () => mesh.nowMs;
  try {
    const web = mesh.client(EchoService, "web");
    const calls: Promise<boolean>[] = [];
    for (let at = 0; at < offeredCalls; at++) {
      calls.push(
        web.unary({}).then(
          () => true,
          () => false,
        ),
      );
      await mesh.run((2 * offeredWithinMs * mesh.random()) / offeredCalls);
    }
    const succeeded = (await mesh.until(Promise.all(calls))).filter(Boolean).length;
    const events = [...mesh.events];
    const reached = events.filter(({ kind, to }) => kind === "request" && to === "stock").length;
    return { events, succeeded, amplification: reached / offeredCalls };
  } finally {
    await mesh.stop();
  }
}

const storm = 3;

describe("a chain of services that all try again", () => {
  it("falls into a retry storm under some seeds and not under others; a seed repeats its run to the event", async () => {
    const runs = new Map<number, Run>();
    let calm: number | undefined;
    let stormy: number | undefined;
    for (let seed = 1; seed <= 40 && (calm === undefined || stormy === undefined); seed++) {
      const one = await run(seed);
      runs.set(seed, one);
      if (one.amplification >= storm) stormy ??= seed;
      else if (one.amplification < 1.5) calm ??= seed;
    }
    const figures = [...runs].map(([seed, one]) => `${seed}: ${one.amplification.toFixed(2)}`).join(", ");
    assert.ok(stormy !== undefined && calm !== undefined, figures);
    const found = runs.get(stormy) as Run;
    const again = await run(stormy);
    assert.deepEqual(again.events, found.events);
    assert.equal(again.succeeded, found.succeeded);
    assert.notDeepEqual((await run(stormy + 1)).events, found.events);

    const broken = await run(stormy, { circuit_breaker: { failure_rate: 0.3, min_calls: 10, open: "200ms" } });
    assert.ok(
      broken.amplification < found.amplification / 2,
      `${broken.amplification} with a breaker, ${found.amplification} without`,
    );
  });
});
