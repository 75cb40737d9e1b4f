// An error of a call shows where the caller waited for it, as errors of grpc-js and connect-node do.
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import {
  type Client,
  Code,
  ConnectError,
  createClient as createConnectClient,
  type Interceptor,
} from "@connectrpc/connect";
import { type ChannelOptions, createClient } from "@tercel/grpc";
import { createInMemoryTransport } from "@tercel/grpc/testing";
import { collect, createOccasion, streamOf } from "@tercel/test-support/async";
import { EchoService } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { echoRoutes, recordingLog } from "./support/open-echo.ts";

const failure = new ConnectError("no", Code.NotFound);
const unavailable = new ConnectError("not now", Code.Unavailable);

function open(t: TestContext, channelOptions: ChannelOptions = {}) {
  const failed = createOccasion();
  const routes = echoRoutes({
    unary: ({ text }) => Promise.reject(text === "retry" ? unavailable : failure),
    clientStream: () => Promise.reject(failure),
    async *serverStream({ count }) {
      for (let at = 0; at < count; at++) yield { count: at };
      setImmediate(failed.happen);
      throw failure;
    },
    // biome-ignore lint/correctness/useYield: it fails before its first response.
    async *bidi() {
      throw failure;
    },
  });
  const serverOptions = { log: recordingLog().log };
  const transport = createInMemoryTransport({ routes, serverOptions, channelOptions });
  t.after(() => transport.close({ deadlineMs: 0 }));
  return { transport, failed: failed.happened };
}

/** The caller's frame is there, with at most this many before it. */
async function assertShowsCaller(caller: () => Promise<unknown>, maxFramesBefore = 2): Promise<void> {
  const error = await caller().then(
    () => assert.fail("the call succeeded"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ConnectError, String(error));
  const [head, ...frames] = error.stack?.split("\n    at ") ?? [];
  assert.equal(head, `ConnectError: ${error.message}`);
  const at = frames.findIndex(
    (frame) => frame.startsWith(`async ${caller.name} (`) && frame.includes(import.meta.filename),
  );
  assert.ok(at !== -1 && at <= maxFramesBefore, error.stack);
}

const passOn: Interceptor = (next) => async (request) => await next(request);

const ways: readonly { name: string; options: ChannelOptions }[] = [
  { name: "without interceptors", options: {} },
  { name: "behind twelve interceptors", options: { interceptors: Array.from({ length: 12 }, () => passOn) } },
];
const makers = [
  { name: "Connect's createClient", create: createConnectClient },
  { name: "our createClient", create: createClient },
];

for (const { name: maker, create } of makers) {
  for (const { name, options } of ways) {
    describe(`an error of a call by ${maker} ${name}`, () => {
      const clientOf = (t: TestContext): Client<typeof EchoService> => create(EchoService, open(t, options).transport);

      it("shows the caller of a unary call", async (t) => {
        const client = clientOf(t);
        await assertShowsCaller(async function getsOne() {
          await client.unary({});
        });
      });

      it("shows the caller that sends a stream", async (t) => {
        const client = clientOf(t);
        await assertShowsCaller(async function sends() {
          await client.clientStream(streamOf({ text: "a" }));
        });
      });

      it("shows the caller of a call that fails without I/O", async (t) => {
        const { transport } = open(t, options);
        await transport.close();
        const client = create(EchoService, transport);
        await assertShowsCaller(async function comesLate() {
          await client.unary({});
        });
      });

      // Connect is published with async generators that were compiled to callbacks, through which V8 sees no caller.
      if (create === createConnectClient) {
        it("shows nothing of the engine to a loop over responses", async (t) => {
          const error = await collect(clientOf(t).serverStream({ count: 3 })).catch((reason: Error) => reason);
          assert.ok(error instanceof ConnectError);
          assert.doesNotMatch(error.stack ?? "", /http2|streaming-call/);
        });
        return;
      }

      it("shows the loop over responses that fails at its first step, and after messages", async (t) => {
        const client = clientOf(t);
        for (const count of [0, 3]) {
          await assertShowsCaller(async function loops() {
            for await (const _ of client.serverStream({ count }));
          });
        }
        await assertShowsCaller(async function talks() {
          for await (const _ of client.bidi(streamOf({ text: "a" })));
        });
      });

      it("shows the loop that comes to the error later than the error came", async (t) => {
        const { transport, failed } = open(t, options);
        const client = create(EchoService, transport);
        await assertShowsCaller(async function loopsLate() {
          for await (const { count } of client.serverStream({ count: 3 })) if (count === 0) await failed;
        });
      });
    });
  }
}

describe("the stack of a call's error", () => {
  it("shows the caller of a call that was retried", async (t) => {
    const retryPolicy = {
      maxAttempts: 2,
      initialBackoff: "0.001s",
      maxBackoff: "0.001s",
      backoffMultiplier: 1,
      retryableStatusCodes: ["UNAVAILABLE"],
    };
    const serviceConfig = { methodConfig: [{ name: [{}], retryPolicy }] };
    const client = createClient(EchoService, open(t, { serviceConfig }).transport);
    await assertShowsCaller(async function triesTwice() {
      await client.unary({ text: "retry" });
    });
  });

  it("shows who waits for several calls", async (t) => {
    const client = createClient(EchoService, open(t).transport);
    await assertShowsCaller(async function waitsForAll() {
      await Promise.all([client.unary({}), collect(client.serverStream({}))]);
    }, 3);
  });

  it("stays as it is where the application made the error", async (t) => {
    const refuse: Interceptor = () => async () => {
      throw refusal;
    };
    const refusal = new ConnectError("not you", Code.PermissionDenied);
    const reason = new ConnectError("no longer wanted", Code.Aborted);
    const own = new ConnectError("no request", Code.FailedPrecondition);
    const stacks = [refusal.stack, reason.stack, own.stack];
    const guarded = createClient(EchoService, open(t, { interceptors: [refuse] }).transport);
    await assert.rejects(guarded.unary({}), refusal);
    const client = createClient(EchoService, open(t).transport);
    await assert.rejects(client.unary({}, { signal: AbortSignal.abort(reason) }), reason);
    // biome-ignore lint/correctness/useYield: it fails before its first request.
    const requests = (async function* () {
      throw own;
    })();
    await assert.rejects(client.clientStream(requests), own);
    assert.deepEqual([refusal.stack, reason.stack, own.stack], stacks);
  });
});
