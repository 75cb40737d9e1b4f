import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { type ChannelOptions, explainError } from "@tercel/grpc";
import { assertStatus } from "@tercel/grpc/testing";
import type { BalancerFactory, Picker, PickInfo, PickResult } from "../src/channel/balancer/index.ts";
import { pickFirst } from "../src/channel/balancer/pick-first.ts";
import { collect } from "./support/async.ts";
import { type EchoHandlers, openInMemory } from "./support/open-echo.ts";

/** pick_first whose picks go through the test's hands. */
function pickFirstBut(change: (picked: PickResult, info: PickInfo | undefined) => PickResult): BalancerFactory {
  return {
    policyName: "scripted",
    create: (host) =>
      pickFirst.create({
        ...host,
        updateState(state, picker) {
          const changed: Picker = {
            dependsOnCall: true,
            pick: (info) => change(picker.pick(info), info),
            describe: () => picker.describe(),
          };
          host.updateState(state, changed);
        },
      }),
  };
}

function open(t: TestContext, balancer: BalancerFactory, handlers: EchoHandlers, options: ChannelOptions = {}) {
  const serviceConfig = { loadBalancingConfig: [{ scripted: {} }], ...(options.serviceConfig as object) };
  const { tls: _tls, connectTimeoutMs: _timeout, ...rest } = options;
  return openInMemory(t, handlers, { channel: { ...rest, balancers: [balancer], serviceConfig } });
}

describe("a balancer", () => {
  it("is told the method and the metadata of each call that it picks for", async (t) => {
    const seen: [string, string | null][] = [];
    const balancer = pickFirstBut((picked, info) => {
      if (picked.kind === "complete") seen.push([info?.methodPath ?? "", info?.header.get("x-user") ?? null]);
      return picked;
    });
    const { client } = await open(t, balancer, { unary: () => ({}), async *serverStream() {} });
    await client.unary({}, { headers: { "x-user": "ada" } });
    await collect(client.serverStream({}));
    assert.deepEqual(seen, [
      ["/tercel.grpc.test.v1.EchoService/Unary", "ada"],
      ["/tercel.grpc.test.v1.EchoService/ServerStream", null],
    ]);
  });

  it("is told the start and the end of each attempt, with its status and trailers", async (t) => {
    const events: string[] = [];
    const tracker = {
      onStart: () => events.push("start"),
      onEnd: (outcome: { code: Code | undefined; trailer(name: string): string | null }) =>
        events.push(`end ${outcome.code === undefined ? "OK" : Code[outcome.code]} ${outcome.trailer("x-load")}`),
    };
    const balancer = pickFirstBut((picked) => (picked.kind === "complete" ? { ...picked, tracker } : picked));
    let calls = 0;
    const { client } = await open(
      t,
      balancer,
      {
        unary(_request, context) {
          context.responseTrailer.set("x-load", "0.5");
          calls++;
          if (calls === 1) throw new ConnectError("again", Code.Unavailable);
          return {};
        },
      },
      {
        serviceConfig: {
          methodConfig: [
            {
              name: [{}],
              retryPolicy: {
                maxAttempts: 2,
                initialBackoff: "0.001s",
                maxBackoff: "0.001s",
                backoffMultiplier: 1,
                retryableStatusCodes: ["UNAVAILABLE"],
              },
            },
          ],
        },
      },
    );
    await client.unary({});
    assert.deepEqual(events, ["start", "end Unavailable 0.5", "start", "end OK 0.5"]);
  });

  it("is told the status with which a call was cut off", async (t) => {
    const ends: (Code | undefined)[] = [];
    const tracker = { onStart() {}, onEnd: ({ code }: { code: Code | undefined }) => ends.push(code) };
    const balancer = pickFirstBut((picked) => (picked.kind === "complete" ? { ...picked, tracker } : picked));
    const { client } = await open(t, balancer, { unary: () => new Promise(() => {}) });
    await assertStatus(client.unary({}, { timeoutMs: 20 }), Code.DeadlineExceeded);
    assert.deepEqual(ends, [Code.DeadlineExceeded]);
  });

  it("may drop calls, which then neither wait for ready nor are retried", async (t) => {
    const createError = () => new ConnectError("too many", Code.Unavailable);
    const { client } = await open(
      t,
      pickFirstBut(() => ({ kind: "drop", createError })),
      {},
      {
        waitForReady: true,
        serviceConfig: {
          methodConfig: [
            {
              name: [{}],
              retryPolicy: {
                maxAttempts: 2,
                initialBackoff: "0.001s",
                maxBackoff: "0.001s",
                backoffMultiplier: 1,
                retryableStatusCodes: ["UNAVAILABLE"],
              },
            },
          ],
        },
      },
    );
    const error = await assertStatus(client.unary({}), Code.Unavailable, "too many");
    assert.equal(explainError(error)?.notRepeated, "the balancer dropped the call");
  });
});
