import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Code, createClient } from "@connectrpc/connect";
import { type ChannelOptions, callInfo, createChannel, createServer, type ServerOptions } from "@tercel/grpc";
import type { Endpoint, ResolverFactory } from "@tercel/grpc/naming";
import { createHealth } from "@tercel/grpc/services";
import { assertStatus, createFakeClock } from "@tercel/grpc/testing";
import { aborted } from "@tercel/test-support/async";
import { createLeastRequest } from "../src/channel/balancer/least-request.ts";
import { EchoService } from "./gen/tercel/grpc/test/v1/echo_pb.ts";

/** A server that answers with its name, or with who asks if a count is given; streams answer and then stay open. */
async function startNamed(t: TestContext, name: string, options: Partial<ServerOptions> = {}) {
  const health = createHealth();
  const server = createServer({
    ...options,
    routes: (router) => {
      health.routes(router);
      router.service(EchoService, {
        unary: async ({ count }, { values }) => ({
          text: count > 0 ? (values.get(callInfo)?.peerAddress ?? "") : name,
        }),
        async *serverStream({ count }, { signal, values }) {
          yield { text: count > 0 ? (values.get(callInfo)?.peerAddress ?? "") : name };
          await aborted(signal);
        },
      });
    },
  });
  t.after(() => server.close({ deadlineMs: 0 }));
  const { port } = await server.listen({ port: 0 });
  return { name, port, server, health };
}

type Named = Awaited<ReturnType<typeof startNamed>>;

function targetOf(servers: readonly Named[]): string {
  return `static:///${servers.map(({ port }) => `127.0.0.1:${port}`).join(",")}`;
}

function openClient(t: TestContext, target: string, options: ChannelOptions) {
  const channel = createChannel(target, { defaultTimeoutMs: 30_000, waitForReady: true, ...options });
  t.after(() => channel.close());
  const client = createClient(EchoService, channel);
  const names = async (calls: number, headers?: Record<string, string>): Promise<string[]> => {
    const found: string[] = [];
    for (let i = 0; i < calls; i += 1) {
      found.push((await client.unary({}, headers === undefined ? {} : { headers })).text);
    }
    return found;
  };
  /** Calls until the answers of the last few come from all these servers and from no other. */
  const namesBecome = async (...expected: string[]): Promise<void> => {
    for (;;) {
      const latest = new Set(await names(expected.length * 3));
      if (latest.size === expected.length && expected.every((name) => latest.has(name))) return;
    }
  };
  return { channel, client, names, namesBecome };
}

async function startThree(t: TestContext): Promise<readonly [Named, Named, Named]> {
  return [await startNamed(t, "a"), await startNamed(t, "b"), await startNamed(t, "c")];
}

const roundRobin = { loadBalancingConfig: [{ round_robin: {} }] };

test("round_robin gives every server its turn", async (t) => {
  const { names, namesBecome } = openClient(t, targetOf(await startThree(t)), { serviceConfig: roundRobin });
  await namesBecome("a", "b", "c");
  const sequence = (await names(6)).join("");
  assert.ok("abcabcabc".includes(sequence), sequence);
});

test("a server whose health service says so gets no calls until it says otherwise", async (t) => {
  const servers = await startThree(t);
  const { namesBecome } = openClient(t, targetOf(servers), {
    serviceConfig: { ...roundRobin, healthCheckConfig: { serviceName: "" } },
  });
  await namesBecome("a", "b", "c");
  servers[1].health.setStatus("", "NOT_SERVING");
  await namesBecome("a", "c");
  servers[1].health.setStatus("", "SERVING");
  await namesBecome("a", "b", "c");
});

test("while no server is healthy a call fails with what they say", async (t) => {
  const one = await startNamed(t, "a");
  one.health.setStatus("", "NOT_SERVING");
  const { client, channel } = openClient(t, targetOf([one]), {
    serviceConfig: { ...roundRobin, healthCheckConfig: { serviceName: "" } },
    waitForReady: false,
  });
  await assertStatus(client.unary({}), Code.Unavailable, /its health service says NOT_SERVING/);
  assert.equal(channel.state, "transient_failure");
});

test("ring_hash keeps to one server for each value of its header", async (t) => {
  const { names } = openClient(t, targetOf(await startThree(t)), {
    serviceConfig: { loadBalancingConfig: [{ ring_hash_experimental: { requestHashHeader: "x-user" } }] },
  });
  const used = new Set<string>();
  // Where the ring divides depends on the ports: of few users none may be one server's.
  for (let user = 0; user < 20 || (used.size < 3 && user < 500); user += 1) {
    const own = new Set(await names(3, { "x-user": `user-${user}` }));
    assert.equal(own.size, 1);
    for (const name of own) used.add(name);
  }
  assert.deepEqual([...used].sort(), ["a", "b", "c"]);
});

test("least_request sends calls where the fewest are open", async (t) => {
  const servers = [await startNamed(t, "a"), await startNamed(t, "b")];
  // Each choice draws both servers, in turns this one first or that one: by chance a choice may draw the same one only.
  let draws = 0;
  const random = () => ([0, 0.5, 0.5, 0] as const)[draws++ & 3] as number;
  const { client, namesBecome } = openClient(t, targetOf(servers), {
    serviceConfig: { loadBalancingConfig: [{ least_request: { choiceCount: 2 } }] },
    balancers: [createLeastRequest({ random })],
  });
  await namesBecome("a", "b");
  const ends = new AbortController();
  const streams = [];
  const counts: Record<string, number> = {};
  for (let i = 0; i < 20; i += 1) {
    const stream = client.serverStream({}, { signal: ends.signal })[Symbol.asyncIterator]();
    const { text } = (await stream.next()).value ?? assert.fail("the stream has ended");
    counts[text] = (counts[text] ?? 0) + 1;
    streams.push(stream);
  }
  assert.deepEqual(counts, { a: 10, b: 10 });
  ends.abort();
  for (const stream of streams) await assertStatus(Promise.resolve(stream.next()), Code.Canceled);
});

test("tercel_attribute_filter calls only servers with the attributes that are required", async (t) => {
  const servers = await startThree(t);
  const versions: Record<string, string> = { a: "v1", b: "v2", c: "v2" };
  const endpoints: Endpoint[] = servers.map(({ name, port }) => ({
    addresses: [{ host: "127.0.0.1", port }],
    attributes: new Map([["version", versions[name]]]),
  }));
  const registry: ResolverFactory = {
    scheme: "registry",
    create: (_target, listener) => {
      listener.onResult({ endpoints });
      return { resolveNow() {}, close() {} };
    },
  };
  const { namesBecome } = openClient(t, "registry:///echo", {
    resolvers: [registry],
    serviceConfig: {
      loadBalancingConfig: [
        { tercel_attribute_filter: { require: { version: "v2" }, childPolicy: [{ round_robin: {} }] } },
      ],
    },
  });
  await namesBecome("b", "c");
});

test("a connection that ends by its age is replaced while its calls go on", async (t) => {
  const clock = createFakeClock();
  const one = await startNamed(t, "a", { clock, maxConnectionAgeMs: 60_000 });
  const { client } = openClient(t, targetOf([one]), {});
  const ends = new AbortController();
  const stream = client.serverStream({ count: 1 }, { signal: ends.signal, timeoutMs: 0 })[Symbol.asyncIterator]();
  const old = (await stream.next()).value?.text;
  assert.equal((await client.unary({ count: 1 })).text, old);
  await clock.advance(70_000);
  for (let current = old; current === old; ) current = (await client.unary({ count: 1 })).text;
  ends.abort();
  await assertStatus(Promise.resolve(stream.next()), Code.Canceled);
});

test("outlier_detection takes away a server that fails its calls", async (t) => {
  const good = [await startNamed(t, "a"), await startNamed(t, "b")];
  const bad = createServer({ routes: (router) => createHealth().routes(router) });
  t.after(() => bad.close({ deadlineMs: 0 }));
  const { port } = await bad.listen({ port: 0 });
  const { client } = openClient(t, `${targetOf(good)},127.0.0.1:${port}`, {
    serviceConfig: {
      loadBalancingConfig: [
        {
          outlier_detection: {
            interval: "0.05s",
            maxEjectionPercent: 50,
            failurePercentageEjection: { threshold: 50, minimumHosts: 1, requestVolume: 3 },
            childPolicy: [{ round_robin: {} }],
          },
        },
      ],
    },
  });
  let goodInRow = 0;
  while (goodInRow < 12) {
    const isGood = await client.unary({}).then(
      () => true,
      () => false,
    );
    goodInRow = isGood ? goodInRow + 1 : 0;
  }
});
