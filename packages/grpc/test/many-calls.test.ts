import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createChannel, createServer } from "@tercel/grpc";
import { assertStatus } from "@tercel/grpc/testing";
import { aborted, collect, createOccasion, quiet, settled, streamOf, turn } from "@tercel/test-support/async";
import { EchoService } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { echoRoutes, overBothTransports, recordingLog } from "./support/open-echo.ts";

/** Calls that find no place wait instead of getting another connection. */
const oneConnection = { serviceConfig: { connectionScaling: { maxConnectionsPerSubchannel: 1 } } };

describe("many calls", () => {
  overBothTransports((open) => {
    it("at once, ten thousand over a connection that takes 200, are all answered, never more than 200 of them at a time", async (t) => {
      let running = 0;
      let most = 0;
      const handlers = {
        async unary(request: { count: number }) {
          running++;
          most = Math.max(most, running);
          await turn();
          running--;
          return { count: request.count };
        },
      };
      const { client } = await open(t, handlers, { channel: oneConnection });
      const answers = await Promise.all(Array.from({ length: 10_000 }, (_, count) => client.unary({ count })));
      assert.ok(answers.every((answer, at) => answer.count === at));
      assert.equal(most, 200);
    });

    it("at once, three hundred that do not end, need not wait for each other: a second connection is made", async (t) => {
      let running = 0;
      const { client } = await open(t, {
        async unary(_request, context) {
          running++;
          await aborted(context.signal);
          return {};
        },
      });
      const controller = new AbortController();
      const calls = Array.from({ length: 300 }, () => client.unary({}, { signal: controller.signal }));
      const verdicts = Promise.allSettled(calls);
      assert.equal(await settled(() => running, 300), 300);
      controller.abort();
      await verdicts;
    });

    it("that are cancelled, a thousand at once, cost neither the connection nor a place for later ones", async (t) => {
      let running = 0;
      const { client } = await open(
        t,
        {
          async unary(request, context) {
            if (request.text === "answer") return { text: "alive" };
            running++;
            await aborted(context.signal);
            running--;
            return {};
          },
        },
        { channel: oneConnection },
      );
      const controller = new AbortController();
      const calls = Array.from({ length: 1000 }, () => client.unary({}, { signal: controller.signal }));
      const verdicts = Promise.allSettled(calls);
      assert.equal(await settled(() => running, 200), 200, "the others wait for a place");
      controller.abort();
      for (const verdict of await verdicts) {
        assert.ok(verdict.status === "rejected" && ConnectError.from(verdict.reason).code === Code.Canceled);
      }
      assert.equal(await settled(() => running), 0);
      const later = await Promise.all(Array.from({ length: 300 }, () => client.unary({ text: "answer" })));
      assert.ok(later.every((answer) => answer.text === "alive"));
    });

    it("that wait for a place leave the queue when they are cancelled", async (t) => {
      let calls = 0;
      const ended = createOccasion();
      const { client } = await open(
        t,
        {
          async unary(_request, context) {
            calls++;
            await aborted(context.signal);
            ended.happen();
            return {};
          },
          clientStream: async () => ({}),
        },
        { server: { maxConcurrentStreams: 1 }, channel: oneConnection },
      );
      const first = new AbortController();
      const holding = assertStatus(client.unary({}, { signal: first.signal }), Code.Canceled);
      await settled(() => calls, 1);
      const second = new AbortController();
      const waiting = assertStatus(client.unary({}, { signal: second.signal }), Code.Canceled);
      await quiet();
      second.abort();
      await waiting;
      first.abort();
      await holding;
      // The handler's place is free when the handler ends, not when the client loses interest.
      await ended.happened;
      await quiet();
      await client.clientStream(streamOf({}));
      assert.equal(calls, 1);
    });

    it("of handlers that do not mind the cancellation keep their places until they end", async (t) => {
      const releases: (() => void)[] = [];
      const { client } = await open(
        t,
        {
          async unary() {
            await new Promise<void>((resolve) => releases.push(resolve));
            return {};
          },
        },
        { server: { maxConcurrentStreams: 3 } },
      );
      const controller = new AbortController();
      const cancelled = Array.from({ length: 3 }, () => client.unary({}, { signal: controller.signal }));
      const failing = Promise.all(cancelled.map((call) => assertStatus(call, Code.Canceled)));
      await settled(() => releases.length, 3);
      controller.abort();
      await failing;
      // The client believes in three free places; the server refuses, and does not start a fourth handler.
      await assertStatus(client.unary({}), Code.Unavailable);
      assert.equal(releases.length, 3);
      for (const release of releases.splice(0)) release();
      await quiet();
      const fine = client.unary({});
      await settled(() => releases.length, 1);
      for (const release of releases.splice(0)) release();
      await fine;
    });
  });

  it("leave nothing behind: no socket, no listener, no timer", async () => {
    const before = process.getActiveResourcesInfo().toSorted();
    const server = createServer({
      routes: echoRoutes({
        unary: () => ({}),
        async *serverStream(_request, context) {
          yield {};
          await aborted(context.signal);
        },
      }),
      log: recordingLog().log,
    });
    const { port } = await server.listen({ port: 0 });
    const channels = Array.from({ length: 5 }, () => createChannel(`127.0.0.1:${port}`, { defaultTimeoutMs: 60_000 }));
    await Promise.all(
      channels.map(async (channel) => {
        const client = createClient(EchoService, channel);
        await Promise.all(Array.from({ length: 50 }, () => client.unary({})));
        const controller = new AbortController();
        const reading = collect(client.serverStream({}, { signal: controller.signal }));
        const failing = assertStatus(reading, Code.Canceled);
        await quiet();
        controller.abort();
        await failing;
      }),
    );
    assert.ok(process.getActiveResourcesInfo().includes("TCPSocketWrap"));
    await Promise.all(channels.map((channel) => channel.close()));
    await server.close();
    await quiet();
    assert.deepEqual(process.getActiveResourcesInfo().toSorted(), before);
  });
});
