import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it, type TestContext } from "node:test";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { context, trace } from "@opentelemetry/api";
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-node";
import { assertStatus } from "@tercel/grpc/testing";
import { collect, createOccasion, streamOf } from "@tercel/test-support/async";
import { countingGzip } from "@tercel/test-support/calls";
import { type Echo, type EchoHandlers, openInMemory, openOverSocket } from "../../test/support/open-echo.ts";
import { recordLines, to } from "../../test/support/recording-log.ts";
import { createLog, createServerLogging } from "../logging/index.ts";
import { createClientRequestId, createServerRequestId } from "../request-id/index.ts";
import { type ClientTracingOptions, createClientTracing, createServerTracing, currentTrace } from "./index.ts";

const service = "tercel.interceptors.test.v1.EchoService";

describe("tracing", () => {
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  before(() => provider.register());
  beforeEach(() => exporter.reset());
  after(async () => {
    await provider.shutdown();
    trace.disable();
    context.disable();
  });

  /** Spans end with the last message. The server's may end a turn after the client's. */
  async function spans(count: number): Promise<ReadableSpan[]> {
    while (exporter.getFinishedSpans().length < count) await new Promise((resolve) => setImmediate(resolve));
    return exporter.getFinishedSpans();
  }

  const kinds = ["internal", "server", "client", "producer", "consumer"];

  /** A service that calls another, both with tracing on both sides. */
  async function openTwo(t: TestContext, options: ClientTracingOptions = {}): Promise<Echo> {
    const tracing = {
      server: { interceptors: [createServerTracing(options)] },
      channel: { interceptors: [createClientTracing(options)] },
    };
    const inner = await openOverSocket(
      t,
      {
        unary: () => ({ text: currentTrace()?.traceId ?? "none" }),
        async *serverStream({ count }) {
          for (let at = 0; at < count; at++) yield { text: currentTrace()?.traceId ?? "none" };
        },
      },
      tracing,
    );
    const handlers: EchoHandlers = {
      async unary() {
        await new Promise((resolve) => setImmediate(resolve));
        return inner.client.unary({});
      },
      async *serverStream(request) {
        yield* inner.client.serverStream({ count: request.count });
      },
      async *bidi(requests) {
        for await (const _request of requests) yield await inner.client.unary({});
      },
    };
    return openOverSocket(t, handlers, tracing);
  }

  /** Each span with its kind and that of its parent. */
  function family(all: readonly ReadableSpan[]): string[] {
    const byId = new Map(all.map((span) => [span.spanContext().spanId, span]));
    const depthOf = (span: ReadableSpan): number => {
      const parent = byId.get(span.parentSpanContext?.spanId ?? "");
      return parent === undefined ? 0 : 1 + depthOf(parent);
    };
    const nameOf = ({ name }: ReadableSpan): string => name.replace(`${service}/`, "").replace(`${service}.`, "");
    return all.map((span) => `${depthOf(span)} ${kinds[span.kind]} ${nameOf(span)}`).sort();
  }

  it("joins the spans of a request across two services, over sockets", async (t) => {
    const { client } = await openTwo(t);
    const { text } = await client.unary({});
    const all = await spans(6);
    assert.deepEqual(family(all), [
      "0 client Unary",
      "1 client Attempt.Unary",
      "2 server Unary",
      "3 client Unary",
      "4 client Attempt.Unary",
      "5 server Unary",
    ]);
    assert.deepEqual(new Set(all.map((span) => span.spanContext().traceId)), new Set([text]));
  });

  it("does so for streams, whose handlers run when they are read", async (t) => {
    const { client } = await openTwo(t);
    const texts = (await collect(client.serverStream({ count: 3 }))).map((response) => response.text);
    const all = await spans(6);
    assert.deepEqual(family(all), [
      "0 client ServerStream",
      "1 client Attempt.ServerStream",
      "2 server ServerStream",
      "3 client ServerStream",
      "4 client Attempt.ServerStream",
      "5 server ServerStream",
    ]);
    assert.deepEqual(texts, Array(3).fill(all[0]?.spanContext().traceId));
    exporter.reset();
    await collect(client.bidi(streamOf({}, {})));
    assert.deepEqual(family(await spans(9)), [
      "0 client Bidi",
      "1 client Attempt.Bidi",
      "2 server Bidi",
      "3 client Unary",
      "3 client Unary",
      "4 client Attempt.Unary",
      "4 client Attempt.Unary",
      "5 server Unary",
      "5 server Unary",
    ]);
  });

  const byConventions = {
    opentelemetry: {
      names: [`${service}/Unary`, `${service}/Unary`, `Attempt.${service}.Unary`],
      attributes: {
        "rpc.system.name": "grpc",
        "rpc.method": `${service}/Unary`,
        "rpc.response.status_code": "OK",
      },
    },
    grpc: {
      names: [`Attempt.${service}.Unary`, `Recv.${service}.Unary`, `Sent.${service}.Unary`],
      attributes: { "rpc.system": "grpc", "rpc.service": service, "rpc.method": "Unary", "rpc.grpc.status_code": 0 },
    },
    both: {
      names: [`${service}/Unary`, `${service}/Unary`, `Attempt.${service}.Unary`],
      attributes: {
        "rpc.system": "grpc",
        "rpc.system.name": "grpc",
        "rpc.service": service,
        "rpc.method": `${service}/Unary`,
        "rpc.grpc.status_code": 0,
        "rpc.response.status_code": "OK",
      },
    },
  } as const;
  for (const conventions of ["opentelemetry", "grpc", "both"] as const) {
    it(`has the attributes of the conventions for each call (${conventions})`, async (t) => {
      const tracing = {
        server: { interceptors: [createServerTracing({ conventions })] },
        channel: { interceptors: [createClientTracing({ conventions })] },
      };
      const { client } = await openOverSocket(t, { unary: () => ({}) }, tracing);
      await client.unary({});
      const expected = byConventions[conventions];
      const names: string[] = [];
      for (const { kind, attributes, name, status } of await spans(3)) {
        const isServer = kinds[kind] === "server";
        const isAttempt = name.startsWith("Attempt.");
        const peers = [isServer ? "client" : "server"];
        if (conventions !== "grpc" && (isServer || isAttempt)) peers.push("network.peer");
        const others = { ...attributes };
        for (const peer of peers) {
          assert.ok(Number(others[`${peer}.port`]) > 0);
          delete others[`${peer}.port`];
        }
        names.push(name);
        assert.equal(status.code, 0);
        assert.deepEqual(others, {
          ...expected.attributes,
          ...Object.fromEntries(peers.map((peer) => [`${peer}.address`, "127.0.0.1"])),
          ...(isAttempt && { "previous-rpc-attempts": 0, "transparent-retry": false }),
        });
      }
      assert.deepEqual(names.sort(), [...expected.names].sort());
    });
  }

  it("marks errors: all failures on a client, the server's own errors on a server", async (t) => {
    const tracing = {
      server: { interceptors: [createServerTracing()] },
      channel: { interceptors: [createClientTracing()] },
    };
    let code = Code.NotFound;
    const { client } = await openInMemory(
      t,
      {
        unary() {
          throw new ConnectError("why\nnot", code);
        },
      },
      tracing,
    );
    const seen: string[] = [];
    for (code of [Code.NotFound, Code.Unavailable]) {
      exporter.reset();
      await assertStatus(client.unary({}), code);
      for (const { name, kind, status, attributes } of await spans(3)) {
        const of = name.startsWith("Attempt.") ? "attempt" : kinds[kind];
        const { "rpc.response.status_code": ended, "error.type": type } = attributes;
        seen.push(`${of} ${ended} ${type ?? "no error"} ${status.code} ${status.message ?? ""}`);
      }
    }
    assert.deepEqual(seen.sort(), [
      "attempt NOT_FOUND NOT_FOUND 2 why\\u{a}not",
      "attempt UNAVAILABLE UNAVAILABLE 2 why\\u{a}not",
      "client NOT_FOUND NOT_FOUND 2 why\\u{a}not",
      "client UNAVAILABLE UNAVAILABLE 2 why\\u{a}not",
      "server NOT_FOUND no error 0 ",
      "server UNAVAILABLE UNAVAILABLE 2 why\\u{a}not",
    ]);
  });

  it("continues the client's trace with its tracestate, unless acceptIncoming is false", async (t) => {
    const headers = {
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      tracestate: "congo=t61rcWkgMzE",
    };
    for (const acceptIncoming of [true, false]) {
      exporter.reset();
      const seen: (string | null)[] = [];
      const inner = await openInMemory(
        t,
        {
          unary(_request, { requestHeader }) {
            seen.push(requestHeader.get("traceparent"), requestHeader.get("tracestate"));
            return {};
          },
        },
        { channel: { interceptors: [createClientTracing()] } },
      );
      const { client } = await openInMemory(
        t,
        { unary: () => inner.client.unary({}) },
        { server: { interceptors: [createServerTracing({ acceptIncoming })] } },
      );
      await client.unary({}, { headers });
      const server = (await spans(3)).find((span) => kinds[span.kind] === "server");
      const isContinued = server?.spanContext().traceId === "0af7651916cd43dd8448eb211c80319c";
      assert.equal(isContinued, acceptIncoming);
      assert.equal(server?.parentSpanContext?.spanId, acceptIncoming ? "b7ad6b7169203331" : undefined);
      assert.match(seen[0] ?? "", new RegExp(`^00-${server?.spanContext().traceId}-[0-9a-f]{16}-01$`));
      assert.equal(seen[1], acceptIncoming ? "congo=t61rcWkgMzE" : null);
    }
  });

  it("records no trace at rate 0, propagates that decision, and follows traces that started elsewhere", async (t) => {
    const { client } = await openTwo(t, { sampleRate: 0 });
    const { text } = await client.unary({});
    assert.match(text, /^[0-9a-f]{32}$/);
    assert.deepEqual(exporter.getFinishedSpans(), []);
    await provider.getTracer("test").startActiveSpan("elsewhere", async (span) => {
      await client.unary({});
      span.end();
    });
    assert.equal((await spans(7)).length, 7);
  });

  it("records messages as events with messageEvents", async (t) => {
    const options = { messageEvents: true };
    const { client } = await openInMemory(
      t,
      {
        async *bidi(requests) {
          for await (const _request of requests) yield {};
        },
      },
      {
        server: { interceptors: [createServerTracing(options)] },
        channel: { interceptors: [createClientTracing(options)] },
      },
    );
    await collect(client.bidi(streamOf({}, {})));
    for (const { name: of, kind, events } of await spans(3)) {
      const messages = events.filter(({ name }) => name !== "Delayed LB pick complete");
      assert.equal(events.length - messages.length, of.startsWith("Attempt.") ? 1 : 0);
      // The call's own span exists above the layer in which messages become bytes.
      const size = kinds[kind] === "client" && !of.startsWith("Attempt.") ? [] : [0];
      assert.deepEqual(
        messages.map(({ name, attributes }) => [name, ...Object.values(attributes ?? {})]).sort(),
        [
          ["RECEIVED", 1],
          ["RECEIVED", 2],
          ["SENT", 1],
          ["SENT", 2],
        ].map((message) => ["rpc.message", ...message, ...size]),
      );
    }
  });

  it("records the sizes of messages on the server, compressed or not, including the response of a unary call", async (t) => {
    const { compression, compressedBytes } = countingGzip();
    const { client } = await openInMemory(
      t,
      {
        unary: ({ text }) => ({ text }),
        async clientStream(requests) {
          await collect(requests);
          return {};
        },
      },
      {
        server: {
          interceptors: [createServerTracing({ messageEvents: true })],
          compressions: [compression],
          compressMinBytes: 1024,
        },
        channel: { sendCompression: compression, acceptCompressions: [compression] },
      },
    );
    const long = "a".repeat(5000);
    await client.unary({ text: long });
    await client.clientStream(streamOf({ text: "b" }, { text: long }));
    const shown = (await spans(2)).map(({ events }) =>
      events.map(({ attributes = {} }) => {
        const { "rpc.message.type": type, "rpc.message.id": id, ...sizes } = attributes;
        return { message: `${type} ${id}`, ...sizes };
      }),
    );
    const [asked, answered, streamed] = compressedBytes;
    assert.equal(compressedBytes.length, 3);
    assert.deepEqual(shown, [
      [
        { message: "RECEIVED 1", "rpc.message.compressed_size": asked },
        { message: "SENT 1", "rpc.message.compressed_size": answered },
      ],
      [
        { message: "RECEIVED 1", "rpc.message.uncompressed_size": 3 },
        { message: "RECEIVED 2", "rpc.message.compressed_size": streamed },
        { message: "SENT 1", "rpc.message.uncompressed_size": 0 },
      ],
    ]);
  });

  it("has the status that the client got, if a response does not reach it, also with message events", async (t) => {
    const { client } = await openInMemory(
      t,
      { unary: () => ({ text: "a".repeat(100) }) },
      { server: { interceptors: [createServerTracing({ messageEvents: true })], maxSendMessageBytes: 10 } },
    );
    await assertStatus(client.unary({}), Code.ResourceExhausted);
    const [span] = await spans(1);
    assert.equal(span?.attributes["rpc.response.status_code"], "RESOURCE_EXHAUSTED");
    assert.deepEqual(
      span?.events.map(({ attributes }) => attributes?.["rpc.message.type"]),
      ["RECEIVED"],
    );
  });

  it("ends the span of a call that is cancelled", async (t) => {
    const entered = createOccasion();
    const { client } = await openInMemory(
      t,
      {
        unary(_request, { signal }) {
          entered.happen();
          return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
        },
      },
      { server: { interceptors: [createServerTracing()] } },
    );
    const cancel = new AbortController();
    const call = assertStatus(client.unary({}, { signal: cancel.signal }), Code.Canceled);
    await entered.happened;
    cancel.abort();
    await call;
    assert.equal((await spans(1))[0]?.attributes["rpc.response.status_code"], "CANCELLED");
  });

  it("adds trace and span to the log line of a call", async (t) => {
    const recorded = recordLines();
    const logging = createServerLogging({ log: createLog(to(recorded)) });
    const { client } = await openInMemory(
      t,
      { unary: () => ({}) },
      { server: { interceptors: [createServerTracing(), logging] } },
    );
    await client.unary({});
    const span = (await spans(1))[0]?.spanContext();
    assert.deepEqual([recorded.lines[0]?.traceId, recorded.lines[0]?.spanId], [span?.traceId, span?.spanId]);
  });

  for (const [outer, header] of [
    ["tracing", undefined],
    ["request-id", undefined],
    ["tracing", "x-correlation-id"],
    ["request-id", "x-correlation-id"],
  ] as const) {
    const name = header ?? "x-request-id";
    const options = header === undefined ? {} : { header };
    it(`adds the request id to the spans of both sides, with ${outer} outside and the id in ${name}`, async (t) => {
      const inOrder = (...interceptors: Interceptor[]) => (outer === "tracing" ? interceptors : interceptors.reverse());
      const { client } = await openInMemory(
        t,
        { unary: () => ({}) },
        {
          server: { interceptors: inOrder(createServerTracing(), createServerRequestId(options)) },
          channel: {
            interceptors: inOrder(createClientTracing(), createClientRequestId({ ...options, makeId: () => "id-7" })),
          },
        },
      );
      await client.unary({});
      assert.deepEqual(
        (await spans(3))
          .filter(({ name }) => !name.startsWith("Attempt."))
          .map(({ attributes }) => attributes[`rpc.request.metadata.${name}`]),
        [["id-7"], ["id-7"]],
      );
    });
  }

  it("rejects an unknown option and a rate that is out of range", () => {
    assert.throws(() => createServerTracing({ samplerate: 1 } as never), /did you mean "sampleRate"/);
    assert.throws(() => createClientTracing({ acceptIncoming: true } as never), /unknown option/);
    assert.throws(() => createServerTracing({ conventions: "otel" as never }), /expected one of opentelemetry, grpc/);
    for (const sampleRate of [-0.1, 1.1, Number.NaN]) {
      assert.throws(() => createClientTracing({ sampleRate }), RangeError);
    }
  });
});
