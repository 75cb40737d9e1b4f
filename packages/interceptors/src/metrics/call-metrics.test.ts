import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { assertStatus } from "@tercel/grpc/testing";
import { collect, createOccasion, streamOf } from "@tercel/test-support/async";
import { EchoService } from "../../test/gen/tercel/interceptors/test/v1/echo_pb.ts";
import { GuardedService } from "../../test/gen/tercel/interceptors/test/v1/guarded_pb.ts";
import { PaymentService } from "../../test/gen/tercel/interceptors/test/v1/payment_pb.ts";
import { type EchoHandlers, interceptedOn, openInMemory, overBothTransports } from "../../test/support/open-echo.ts";
import { openSlowUpload } from "../../test/support/slow-upload.ts";
import { traceContextKey } from "../call/trace-context.ts";
import { createClientMetrics, createRegistry, createServerMetrics, exposition, type Registry } from "./index.ts";

const service = "tercel.interceptors.test.v1.EchoService";

const echo: EchoHandlers = {
  unary({ count }) {
    if (count > 0) throw new ConnectError(`text ${Math.random()}`, count);
    return {};
  },
  async *serverStream({ count }) {
    for (let at = 0; at < count; at++) yield {};
  },
  async clientStream(requests) {
    await collect(requests);
    return {};
  },
  async *bidi(requests) {
    for await (const request of requests) {
      yield {};
      yield {};
      if (request.text === "fail") throw new TypeError("a bug");
    }
  },
};

/** Returns the lines of a metric without the label of the service. */
function linesOf(registry: Registry, name: string): string[] {
  return exposition(registry)
    .split("\n")
    .filter((line) => line.startsWith(`${name}{`))
    .map((line) => line.slice(name.length).replace(`service="${service}",`, ""));
}

/** The sum of all durations. */
function secondsOf(registry: Registry): number {
  return Number(linesOf(registry, "grpc_server_request_duration_seconds_sum")[0]?.split(" ")[1]);
}

describe("call metrics", () => {
  overBothTransports((open) => {
    for (const side of ["server", "client"] as const) {
      const create = side === "server" ? createServerMetrics : createClientMetrics;

      it(`count calls by method and status, and messages of streams (${side})`, async (t) => {
        const registry = createRegistry();
        const ended = createOccasion();
        let calls = 0;
        const counting: Interceptor = (next) => async (request) => {
          const response = await next(request);
          if (!response.stream) return response;
          async function* counted(messages: AsyncIterable<object>) {
            yield* messages;
            if (++calls === 3) ended.happen();
          }
          return { ...response, message: counted(response.message) } as typeof response;
        };
        const { client } = await open(t, echo, interceptedOn(side, counting, create({ registry })));
        await client.unary({});
        await client.unary({});
        await assertStatus(client.unary({ count: Code.NotFound }), Code.NotFound);
        await collect(client.serverStream({ count: 4 }));
        await client.clientStream(streamOf({}, {}, {}));
        await collect(client.bidi(streamOf({}, {})));
        await ended.happened;
        await assertStatus(client.bidi(streamOf({ text: "fail" })), Code.Internal);
        const name = `grpc_${side}`;
        assert.deepEqual(linesOf(registry, `${name}_requests_total`), [
          '{method="Unary",status="OK"} 2',
          '{method="Unary",status="NOT_FOUND"} 1',
          '{method="ServerStream",status="OK"} 1',
          '{method="ClientStream",status="OK"} 1',
          '{method="Bidi",status="OK"} 1',
          '{method="Bidi",status="INTERNAL"} 1',
        ]);
        assert.deepEqual(linesOf(registry, `${name}_errors_total`), [
          '{method="Unary",status="NOT_FOUND"} 1',
          '{method="Bidi",status="INTERNAL"} 1',
        ]);
        assert.deepEqual(linesOf(registry, `${name}_requests_started_total`), [
          '{method="Unary"} 3',
          '{method="ServerStream"} 1',
          '{method="ClientStream"} 1',
          '{method="Bidi"} 2',
        ]);
        const requests = ['{method="ServerStream"} 1', '{method="ClientStream"} 3', '{method="Bidi"} 3'];
        const responses = ['{method="ServerStream"} 4', '{method="ClientStream"} 1', '{method="Bidi"} 6'];
        const [sent, received] = side === "server" ? [responses, requests] : [requests, responses];
        assert.deepEqual(linesOf(registry, `${name}_stream_messages_sent_total`), sent);
        assert.deepEqual(linesOf(registry, `${name}_stream_messages_received_total`), received);
        for (const line of linesOf(registry, `${name}_requests_in_flight`)) assert.match(line, / 0$/);
        const counts = linesOf(registry, `${name}_request_duration_seconds_count`);
        assert.equal(counts[0], '{method="Unary",status="OK"} 2');
        assert.equal(counts.length, 6);
      });
    }

    it("show the running calls", async (t) => {
      const registry = createRegistry();
      const entered = createOccasion();
      const release = createOccasion();
      const { client } = await open(
        t,
        {
          async unary() {
            entered.happen();
            await release.happened;
            return {};
          },
        },
        { server: { interceptors: [createServerMetrics({ registry })] } },
      );
      const call = client.unary({});
      await entered.happened;
      assert.deepEqual(linesOf(registry, "grpc_server_requests_in_flight"), ['{method="Unary"} 1']);
      assert.deepEqual(linesOf(registry, "grpc_server_requests_total"), []);
      release.happen();
      await call;
      assert.deepEqual(linesOf(registry, "grpc_server_requests_in_flight"), ['{method="Unary"} 0']);
    });
  });

  overBothTransports((open) => {
    it("count calls that reach no interceptor, and unknown methods as other", async (t) => {
      const registry = createRegistry();
      const counting = createServerMetrics({ registry });
      const { client, transport } = await open(t, echo, {
        server: { interceptors: [counting], onUnhandledCall: counting.countUnhandled, maxReceiveMessageBytes: 10 },
      });
      const payload = new Uint8Array(11);
      const unserved = createClient(GuardedService, transport);
      for (const method of ["read", "open", "known"] as const) {
        await assertStatus(unserved[method]({}), Code.Unimplemented);
      }
      await assertStatus(createClient(PaymentService, transport).exempt({}), Code.Unimplemented);
      await assertStatus(client.unary({ payload }), Code.ResourceExhausted);
      await client.unary({});
      // The handler of a stream starts before its first message arrives.
      await assertStatus(client.clientStream(streamOf({ payload })), Code.ResourceExhausted);
      assert.deepEqual(
        linesOf(registry, "grpc_server_requests_total").map((line) => line.replace(/status="\w+"/, "…")),
        [
          '{service="other",method="other",…} 4',
          '{method="Unary",…} 1',
          '{method="Unary",…} 1',
          '{method="ClientStream",…} 1',
        ],
      );
      assert.deepEqual(linesOf(registry, "grpc_server_errors_total"), [
        '{service="other",method="other",status="UNIMPLEMENTED"} 4',
        '{method="Unary",status="RESOURCE_EXHAUSTED"} 1',
        '{method="ClientStream",status="RESOURCE_EXHAUSTED"} 1',
      ]);
      assert.deepEqual(linesOf(registry, "grpc_server_requests_started_total"), [
        '{service="other",method="other"} 4',
        '{method="Unary"} 2',
        '{method="ClientStream"} 1',
      ]);
      const running = linesOf(registry, "grpc_server_requests_in_flight");
      assert.ok(running.length > 0 && running.every((line) => line.endsWith(" 0")));
    });
  });

  it("start when the headers of a call arrive, and include the upload of its message", async (t) => {
    const registry = createRegistry();
    const interceptors = [createServerMetrics({ registry })];
    const upload = await openSlowUpload(t, `/${service}/Unary`, (router) => router.service(EchoService, echo), {
      interceptors,
    });
    assert.deepEqual(linesOf(registry, "grpc_server_requests_started_total"), ['{method="Unary"} 1']);
    assert.deepEqual(linesOf(registry, "grpc_server_requests_in_flight"), ['{method="Unary"} 0']);
    await upload.finish();
    assert.deepEqual(linesOf(registry, "grpc_server_requests_started_total"), ['{method="Unary"} 1']);
    assert.deepEqual(linesOf(registry, "grpc_server_requests_total"), ['{method="Unary",status="OK"} 1']);
    assert.ok(secondsOf(registry) >= 1, `${secondsOf(registry)}`);
  });

  for (const isCounted of [true, false]) {
    it(`count a call once if it is cancelled before its message arrives, ${isCounted ? "with" : "without"} onUnhandledCall`, async (t) => {
      const registry = createRegistry();
      const counting = createServerMetrics({ registry });
      const upload = await openSlowUpload(t, `/${service}/Unary`, (router) => router.service(EchoService, echo), {
        interceptors: [counting],
        ...(isCounted && { onUnhandledCall: counting.countUnhandled }),
      });
      await upload.takeBack();
      assert.deepEqual(linesOf(registry, "grpc_server_requests_started_total"), ['{method="Unary"} 1']);
      assert.deepEqual(linesOf(registry, "grpc_server_requests_total"), ['{method="Unary",status="CANCELLED"} 1']);
      assert.ok(secondsOf(registry) >= 1, `${secondsOf(registry)}`);
    });
  }

  it("have names with a configurable prefix", async (t) => {
    const registry = createRegistry();
    const prefix = "grpc";
    const { client } = await openInMemory(t, echo, interceptedOn("server", createServerMetrics({ registry, prefix })));
    await assertStatus(client.unary({ count: Code.NotFound }), Code.NotFound);
    for (const name of ["grpc_requests_total", "grpc_errors_total", "grpc_request_duration_seconds_count"]) {
      assert.deepEqual(linesOf(registry, name), ['{method="Unary",status="NOT_FOUND"} 1'], name);
    }
    assert.throws(() => createServerMetrics({ registry, prefix: "my-service" }), /not a name/);
  });

  it("contain no text of messages and errors, and at most maxMethods methods", async (t) => {
    const registry = createRegistry();
    const { client, other } = await openInMemory(t, echo, {
      server: { interceptors: [createServerMetrics({ registry, maxMethods: 1 })] },
      other: { unary: () => ({}) },
    });
    for (let at = 0; at < 5; at++) await assertStatus(client.unary({ count: Code.Aborted }), Code.Aborted);
    await other.unary({});
    await client.clientStream(streamOf());
    assert.deepEqual(linesOf(registry, "grpc_server_requests_total"), [
      '{method="Unary",status="ABORTED"} 5',
      '{service="other",method="other",status="OK"} 2',
    ]);
  });

  it("have exemplars of recorded traces only", async (t) => {
    for (const traceFlags of [1, 0]) {
      const registry = createRegistry();
      const traced: Interceptor = (next) => (request) => {
        const span = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", traceFlags };
        request.contextValues.set(traceContextKey, trace.setSpanContext(ROOT_CONTEXT, span));
        return next(request);
      };
      const { client } = await openInMemory(t, echo, {
        server: { interceptors: [traced, createServerMetrics({ registry, durationBounds: [1000] })] },
      });
      await client.unary({});
      const exemplar =
        /# \{trace_id="0af7651916cd43dd8448eb211c80319c",span_id="b7ad6b7169203331"\} [\d.e-]+ \d+\.\d{3}$/m;
      assert.equal(exemplar.test(exposition(registry, "openmetrics")), traceFlags === 1);
      assert.doesNotMatch(exposition(registry, "prometheus"), /trace_id/);
    }
  });

  it("reject an unknown option, and a second interceptor in the same registry", () => {
    const registry = createRegistry();
    createServerMetrics({ registry });
    createClientMetrics({ registry });
    assert.throws(() => createServerMetrics({ registry }), /registered already/);
    assert.throws(() => createServerMetrics({ register: registry } as never), /did you mean "registry"/);
  });
});
