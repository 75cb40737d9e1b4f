import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createClient } from "@connectrpc/connect";
import { type ChannelOptions, callInfo, createChannel, createServer, type Server } from "@tercel/grpc";
import type { ResolverFactory, ResolverListener } from "@tercel/grpc/naming";
import { createOccasion, turn } from "@tercel/test-support/async";
import { EchoService } from "../gen/tercel/grpc/test/v1/echo_pb.ts";
import { echoRoutes } from "../support/open-echo.ts";

const callerCount = 30;
const roundRobin = { loadBalancingConfig: [{ round_robin: {} }] };

/** Counts its calls by their identifiers, and its callers' addresses: a connection each. */
class CountingServer {
  readonly callIds: number[] = [];
  readonly peers = new Set<string>();
  private readonly server: Server;
  private readonly awaited: { readonly calls: number; readonly happen: () => void }[] = [];

  constructor() {
    this.server = createServer({
      routes: echoRoutes({
        unary: async ({ count }, { values }) => {
          this.callIds.push(count);
          this.peers.add(values.get(callInfo)?.peerAddress ?? "");
          for (const { calls, happen } of this.awaited) if (this.callIds.length >= calls) happen();
          // The call is under way for a few turns, so that a restart finds some that are.
          for (let at = 0; at < 5; at++) await turn();
          return { count };
        },
      }),
    });
  }

  get port(): number {
    return (this.server.address as { port: number }).port;
  }

  async listen(port = 0): Promise<this> {
    await this.server.listen({ port });
    return this;
  }

  close(deadlineMs?: number): Promise<void> {
    return this.server.close(deadlineMs === undefined ? {} : { deadlineMs });
  }

  /** Resolves when so many more calls have come. */
  async untilCalls(more: number): Promise<void> {
    const { happened, happen } = createOccasion();
    this.awaited.push({ calls: this.callIds.length + more, happen });
    await happened;
  }
}

/** Callers that call and call until they are stopped. */
function startLoad(t: TestContext, target: string, options: ChannelOptions) {
  const channel = createChannel(target, { serviceConfig: roundRobin, defaultTimeoutMs: 30_000, ...options });
  t.after(() => channel.close());
  const client = createClient(EchoService, channel);
  const failures: unknown[] = [];
  let [made, isStopped] = [0, false];
  const call = async (): Promise<void> => {
    while (!isStopped) {
      const id = ++made;
      try {
        assert.equal((await client.unary({ count: id })).count, id);
      } catch (error) {
        failures.push(error);
        // Otherwise calls that fail at once would leave no time for anything else.
        await turn();
      }
    }
  };
  const callers = Array.from({ length: callerCount }, call);
  return {
    failures,
    /** Resolves to the number of calls made. */
    async stop(): Promise<number> {
      isStopped = true;
      await Promise.all(callers);
      return made;
    },
  };
}

test("three servers are restarted in turn under load, and no call fails or runs twice", async (t) => {
  const servers = [
    await new CountingServer().listen(),
    await new CountingServer().listen(),
    await new CountingServer().listen(),
  ];
  const everStarted = [...servers];
  t.after(() => Promise.all(everStarted.map((server) => server.close(0))));
  const target = `static:///${servers.map(({ port }) => `127.0.0.1:${port}`).join(",")}`;
  const load = startLoad(t, target, {});
  for (const [at, old] of servers.entries()) {
    await Promise.all(servers.map((server) => server.untilCalls(20)));
    const { port } = old;
    await old.close();
    const next = await new CountingServer().listen(port);
    everStarted.push(next);
    servers[at] = next;
  }
  await Promise.all(servers.map((server) => server.untilCalls(20)));
  const made = await load.stop();
  assert.deepEqual(load.failures, []);
  const ran = everStarted.flatMap(({ callIds }) => callIds);
  assert.equal(ran.length, made);
  assert.equal(new Set(ran).size, made);
  t.diagnostic(
    `${made} calls over 3 restarts, 0 failed; per server process ${everStarted.map(({ callIds }) => callIds.length)}`,
  );
});

/** A resolver that says what the test says. */
function scriptedResolver() {
  const { happened, happen } = createOccasion<ResolverListener>();
  const factory: ResolverFactory = {
    scheme: "scripted",
    create(_target, listener) {
      happen(listener);
      return { resolveNow() {}, close() {} };
    },
  };
  return {
    factory,
    async report(servers: readonly CountingServer[]): Promise<void> {
      const endpoints = servers.map(({ port }) => ({ addresses: [{ host: "127.0.0.1", port }] }));
      (await happened).onResult({ endpoints });
    },
  };
}

test("a server that is added gets calls, one that is taken out gets none, and the others keep their connections", async (t) => {
  const [first, second, third] = [
    await new CountingServer().listen(),
    await new CountingServer().listen(),
    await new CountingServer().listen(),
  ];
  t.after(() => Promise.all([first, second, third].map((server) => server.close(0))));
  const resolver = scriptedResolver();
  const load = startLoad(t, "scripted:///all", { resolvers: [resolver.factory] });
  await resolver.report([first, second]);
  await Promise.all([first.untilCalls(50), second.untilCalls(50)]);
  assert.equal(third.callIds.length, 0);
  await resolver.report([first, second, third]);
  await Promise.all([first, second, third].map((server) => server.untilCalls(50)));
  await resolver.report([second, third]);
  // What was picked before is served meanwhile.
  await Promise.all([second.untilCalls(callerCount * 2), third.untilCalls(callerCount * 2)]);
  const callsOfFirst = first.callIds.length;
  await Promise.all([second.untilCalls(50), third.untilCalls(50)]);
  assert.equal(first.callIds.length, callsOfFirst);
  await load.stop();
  assert.deepEqual(load.failures, []);
  for (const { peers } of [first, second, third]) assert.equal(peers.size, 1, [...peers].join());
});
