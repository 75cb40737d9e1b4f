import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { type ChannelOptions, createChannel, createServer, explainError, type ServiceConfigJson } from "@tercel/grpc";
import { createHealth } from "@tercel/grpc/services";
import { assertStatus, createFakeClock } from "@tercel/grpc/testing";
import { collect, createOccasion } from "@tercel/test-support/async";
import type { BalancerFactory, Picker, PickInfo, PickResult } from "../src/channel/balancer/index.ts";
import { pickFirst } from "../src/channel/balancer/pick-first.ts";
import { EchoService } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { type EchoHandlers, echoRoutes, openInMemory } from "./support/open-echo.ts";

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
    const clock = createFakeClock();
    const entered = createOccasion();
    const handlers: EchoHandlers = {
      unary() {
        entered.happen();
        return new Promise(() => {});
      },
    };
    const { client } = await open(t, balancer, handlers, { clock });
    const failing = assertStatus(client.unary({}, { timeoutMs: 100 }), Code.DeadlineExceeded);
    await entered.happened;
    await clock.advance(110);
    await failing;
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

describe("the policies of a service config", () => {
  /** Two servers that say who they are, and a channel to both. */
  async function openTwo(t: TestContext, serviceConfig: ServiceConfigJson) {
    const healths = [createHealth(), createHealth()];
    const servers = healths.map((health, at) =>
      createServer({
        routes(router) {
          health.routes(router);
          echoRoutes({ unary: () => ({ text: `server ${at}` }) })(router);
        },
      }),
    );
    const ports = await Promise.all(servers.map(async (server) => (await server.listen({ port: 0 })).port));
    const target = `ipv4:${ports.map((port) => `127.0.0.1:${port}`).join(",")}`;
    const channel = createChannel(target, { serviceConfig, waitForReady: true, defaultTimeoutMs: 20_000 });
    t.after(async () => {
      await channel.close();
      await Promise.all(servers.map((server) => server.close({ deadlineMs: 0 })));
    });
    const client = createClient(EchoService, channel);
    const ask = async (): Promise<string> => (await client.unary({})).text;
    return { ask, channel, healths };
  }

  /** Asks twice, again and again, until the answers are as expected. */
  async function until(ask: () => Promise<string>, holds: (answers: string[]) => boolean): Promise<void> {
    for (;;) {
      const answers = [await ask(), await ask()];
      if (holds(answers)) return;
    }
  }

  it("spread calls as they are named there", async (t) => {
    const { ask, channel } = await openTwo(t, { loadBalancingConfig: [{ round_robin: {} }] });
    await until(ask, ([one, other]) => one !== other);
    assert.equal(channel.explain().policy, "round_robin");
    const answers = [await ask(), await ask(), await ask(), await ask()];
    assert.equal(answers[0], answers[2]);
    assert.equal(answers[1], answers[3]);
    assert.notEqual(answers[0], answers[1]);
  });

  it("leave out servers that say they do not serve, where the config asks for health checks", async (t) => {
    const { ask, healths } = await openTwo(t, {
      loadBalancingConfig: [{ round_robin: {} }],
      healthCheckConfig: { serviceName: "" },
    });
    await until(ask, ([one, other]) => one !== other);
    healths[0]?.setStatus("", "NOT_SERVING");
    await until(ask, (answers) => answers.every((answer) => answer === "server 1"));
    healths[0]?.setStatus("", "SERVING");
    await until(ask, ([one, other]) => one !== other);
  });
});
