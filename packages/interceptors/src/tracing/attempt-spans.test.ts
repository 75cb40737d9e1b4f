import assert from "node:assert/strict";
import { constants, createServer, type ServerHttp2Session } from "node:http2";
import { describe, it, type TestContext } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { SpanKind } from "@opentelemetry/api";
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
  type TimedEvent,
} from "@opentelemetry/sdk-trace-node";
import { createChannel, createServer as createGrpcServer } from "@tercel/grpc";
import type { ResolverFactory, ResolverListener } from "@tercel/grpc/naming";
import { assertStatus } from "@tercel/grpc/testing";
import { collect } from "@tercel/test-support/async";
import { countingGzip } from "@tercel/test-support/calls";
import { EchoService } from "../../test/gen/tercel/interceptors/test/v1/echo_pb.ts";
import { openInMemory } from "../../test/support/open-echo.ts";
import { failingOnce, retryingOnce } from "../../test/support/retried-calls.ts";
import { createClientTracing, createServerTracing, w3cPropagator } from "./index.ts";

function openTracer(t: TestContext) {
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  t.after(() => provider.shutdown());
  /** Resolves with the spans of a kind in the order of their start, when there are that many. */
  async function spans(of: "Sent" | "Attempt" | "Recv", count: number): Promise<ReadableSpan[]> {
    for (;;) {
      const found = exporter.getFinishedSpans().filter((span) => kindOf(span) === of);
      if (found.length >= count) {
        assert.equal(found.length, count);
        return found.sort((a, b) => a.startTime[0] - b.startTime[0] || a.startTime[1] - b.startTime[1]);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  return { tracer: provider.getTracer("test"), exporter, spans };
}

const kindOf = ({ name, kind }: ReadableSpan): string =>
  name.startsWith("Attempt.") ? "Attempt" : kind === SpanKind.SERVER ? "Recv" : "Sent";
const idOf = (span: ReadableSpan | undefined): string | undefined => span?.spanContext().spanId;
const parentOf = (span: ReadableSpan | undefined): string | undefined => span?.parentSpanContext?.spanId;
/** An event with its attributes; sizes with their names, because there are two kinds. */
const shownEvent = ({ name, attributes }: TimedEvent): string =>
  [
    name,
    ...Object.entries(attributes ?? {}).map(([key, value]) =>
      key.endsWith("_size") ? `${key.replace("rpc.message.", "")}=${value}` : value,
    ),
  ].join(" ");
const attemptAttributes = ({ attributes }: ReadableSpan): unknown[] =>
  ["previous-rpc-attempts", "transparent-retry", "rpc.response.status_code"].map((name) => attributes[name]);

function serviceConfig(policy: object) {
  return { methodConfig: [{ name: [{}], ...policy }] };
}

describe("the spans of attempts", () => {
  it("are children of their call's, one for each retry, and parents of the server's", async (t) => {
    const { tracer, spans } = openTracer(t);
    const { client } = await openInMemory(t, failingOnce(), {
      server: { interceptors: [createServerTracing({ tracer })] },
      channel: { ...retryingOnce, interceptors: [createClientTracing({ tracer })] },
    });
    await client.unary({});
    const [call] = await spans("Sent", 1);
    const attempts = await spans("Attempt", 2);
    assert.deepEqual(attempts.map(attemptAttributes), [
      [0, false, "UNAVAILABLE"],
      [1, false, "OK"],
    ]);
    assert.deepEqual(attempts.map(parentOf), [idOf(call), idOf(call)]);
    assert.deepEqual((await spans("Recv", 2)).map(parentOf), attempts.map(idOf));
    assert.equal(call?.attributes["rpc.response.status_code"], "OK");
    assert.equal(attempts[0]?.parentSpanContext?.isRemote, false);
  });

  it("exist also for losing hedged attempts", async (t) => {
    const { tracer, spans } = openTracer(t);
    const hedgingPolicy = { maxAttempts: 2, hedgingDelay: "0s", nonFatalStatusCodes: [] };
    let seen = 0;
    const { client } = await openInMemory(
      t,
      {
        async *serverStream(_request, { signal }) {
          if (seen++ === 0) await new Promise((resolve) => signal.addEventListener("abort", resolve));
          else yield {};
        },
      },
      {
        server: { interceptors: [createServerTracing({ tracer })] },
        channel: {
          interceptors: [createClientTracing({ tracer })],
          serviceConfig: serviceConfig({ hedgingPolicy }) as never,
        },
      },
    );
    await collect(client.serverStream({}));
    const attempts = await spans("Attempt", 2);
    assert.deepEqual(attempts.map(attemptAttributes).sort(), [
      [0, false, "CANCELLED"],
      [1, false, "OK"],
    ]);
    const ids = new Set(attempts.map(idOf));
    for (const span of await spans("Recv", 2)) assert.ok(ids.delete(parentOf(span)));
  });

  it("show which attempt is a transparent retry", async (t) => {
    const { tracer, spans } = openTracer(t);
    const sessions = new Set<ServerHttp2Session>();
    const server = createServer();
    const parents: unknown[] = [];
    server.on("session", (session) => sessions.add(session));
    server.on("stream", (stream, headers) => {
      stream.on("error", () => {});
      stream.resume();
      parents.push(headers.traceparent);
      if (parents.length === 1) stream.close(constants.NGHTTP2_REFUSED_STREAM);
      else
        stream.respond({ ":status": 200, "content-type": "application/grpc", "grpc-status": "5" }, { endStream: true });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const channel = createChannel(`127.0.0.1:${port}`, { interceptors: [createClientTracing({ tracer })] });
    t.after(async () => {
      await channel.close();
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    });
    await assertStatus(createClient(EchoService, channel).unary({}), Code.NotFound);
    const attempts = await spans("Attempt", 2);
    assert.deepEqual(attempts.map(attemptAttributes), [
      [0, false, "UNAVAILABLE"],
      [0, true, "NOT_FOUND"],
    ]);
    assert.deepEqual(
      parents,
      attempts.map((span) => `00-${span.spanContext().traceId}-${idOf(span)}-01`),
    );
    for (const { attributes } of attempts) {
      assert.deepEqual([attributes["server.address"], attributes["server.port"]], ["127.0.0.1", port]);
    }
  });

  it("have the compressed sizes of messages with message events", async (t) => {
    const { tracer, spans } = openTracer(t);
    const { compression, compressedBytes } = countingGzip();
    const { client } = await openInMemory(
      t,
      { unary: () => ({ text: "four" }) },
      {
        channel: { interceptors: [createClientTracing({ tracer, messageEvents: true })], sendCompression: compression },
      },
    );
    await client.unary({ text: "a".repeat(5000) });
    const [attempt] = await spans("Attempt", 1);
    assert.deepEqual(attempt?.events.map(shownEvent), [
      "Delayed LB pick complete",
      `rpc.message SENT 1 compressed_size=${compressedBytes[0]}`,
      "rpc.message RECEIVED 1 uncompressed_size=6",
    ]);
  });

  it("leave the event of a delayed name resolution to the call's span, whether it succeeds or fails", async (t) => {
    const { tracer, spans } = openTracer(t);
    const server = createGrpcServer({ routes: (router) => router.service(EchoService, { unary: () => ({}) }) });
    const { host, port } = await server.listen({ host: "127.0.0.1", port: 0 });
    const listeners: ResolverListener[] = [];
    const slow: ResolverFactory = {
      scheme: "slow",
      create(_target, listener) {
        listeners.push(listener);
        return { resolveNow() {}, close() {} };
      },
    };
    const options = { resolvers: [slow], interceptors: [createClientTracing({ tracer })] };
    const channels = [createChannel("slow:///echo", options), createChannel("slow:///no one", options)];
    t.after(async () => {
      await Promise.all(channels.map((channel) => channel.close()));
      await server.close();
    });
    const [client, lost] = channels.map((channel) => createClient(EchoService, channel));
    if (client === undefined || lost === undefined) assert.fail();
    const first = client.unary({});
    listeners[0]?.onResult({ endpoints: [{ addresses: [{ host, port }] }] });
    await first;
    await client.unary({});
    const failing = assertStatus(lost.unary({}), Code.Unavailable);
    listeners[1]?.onError(new ConnectError("no such name", Code.Unavailable));
    await failing;

    const resolved = "Delayed name resolution complete";
    const namesOf = ({ events }: ReadableSpan): string[] => events.map(({ name }) => name);
    assert.deepEqual((await spans("Sent", 3)).map(namesOf), [[resolved], [], [resolved]]);
    assert.deepEqual((await spans("Attempt", 3)).map(namesOf), [["Delayed LB pick complete"], [], []]);
  });

  it("do not exist for an unsampled call", async (t) => {
    const { tracer, exporter } = openTracer(t);
    const seen: (string | null)[] = [];
    const { client } = await openInMemory(
      t,
      {
        unary(_request, { requestHeader }) {
          seen.push(requestHeader.get("traceparent"));
          return {};
        },
      },
      { channel: { interceptors: [createClientTracing({ tracer, sampleRate: 0 })] } },
    );
    await client.unary({});
    assert.match(seen[0] ?? "", /-00$/);
    assert.deepEqual(exporter.getFinishedSpans(), []);
  });

  it("use the application's propagator", async (t) => {
    const { tracer, spans } = openTracer(t);
    const seen: (string | null)[] = [];
    const prefixed: typeof w3cPropagator = {
      inject: (of, carrier, setter) =>
        w3cPropagator.inject(of, carrier, { set: (to, name, value) => setter.set(to, `x-${name}`, value) }),
      extract: (of, carrier, getter) =>
        w3cPropagator.extract(of, carrier, {
          get: (from, name) => getter.get(from, `x-${name}`),
          keys: (from) => getter.keys(from),
        }),
      fields: () => ["x-traceparent", "x-tracestate"],
    };
    const { client } = await openInMemory(
      t,
      {
        unary(_request, { requestHeader }) {
          seen.push(requestHeader.get("x-traceparent"), requestHeader.get("traceparent"));
          return {};
        },
      },
      { channel: { interceptors: [createClientTracing({ tracer, propagator: prefixed })] } },
    );
    await client.unary({});
    const [attempt] = await spans("Attempt", 1);
    assert.deepEqual(seen, [`00-${attempt?.spanContext().traceId}-${idOf(attempt)}-01`, null]);
  });
});
