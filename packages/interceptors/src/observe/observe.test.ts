import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { assertStatus, createFakeClock } from "@tercel/grpc/testing";
import { aborted, collect, createOccasion, streamOf } from "@tercel/test-support/async";
import { interceptedOn, openInMemory, overBothTransports } from "../../test/support/open-echo.ts";
import { type CallObserver, observeCalls, statusName } from "./index.ts";

function noting(notes: string[], ended?: () => void): CallObserver {
  return {
    onRequest: () => notes.push("request"),
    onResponse: () => notes.push("response"),
    onEnd(status) {
      notes.push(statusName(status));
      ended?.();
    },
  };
}

describe("an observer of calls", () => {
  overBothTransports((open) => {
    for (const side of ["server", "client"] as const) {
      it(`observes the messages of all kinds and the end, once (${side})`, async (t) => {
        const notes: string[] = [];
        const { client } = await open(
          t,
          {
            unary: () => ({}),
            async *serverStream() {
              yield {};
              yield {};
            },
            clientStream: async (requests) => ({ count: (await collect(requests)).length }),
            async *bidi(requests) {
              for await (const _request of requests) yield {};
            },
          },
          interceptedOn(
            side,
            observeCalls(side, () => noting(notes)),
          ),
        );
        const taken = async (call: PromiseLike<unknown>): Promise<string> => {
          await call;
          while (!notes.includes("OK")) await new Promise((resolve) => setImmediate(resolve));
          return notes.splice(0).join(" ");
        };
        assert.equal(await taken(client.unary({})), "request response OK");
        assert.equal(await taken(collect(client.serverStream({}))), "request response response OK");
        assert.equal(await taken(client.clientStream(streamOf({}, {}))), "request request response OK");
        assert.equal(await taken(collect(client.bidi(streamOf({})))), "request response OK");
      });

      it(`observes the status of a failure, also of a synchronous throw (${side})`, async (t) => {
        const notes: string[] = [];
        const sudden: Interceptor = () => () => {
          throw new ConnectError("sudden", Code.ResourceExhausted);
        };
        const { client } = await open(
          t,
          {},
          interceptedOn(
            side,
            observeCalls(side, () => noting(notes)),
            sudden,
          ),
        );
        await assertStatus(client.unary({}), Code.ResourceExhausted);
        await assertStatus(client.serverStream({}), Code.ResourceExhausted);
        assert.deepEqual(notes, ["request", "RESOURCE_EXHAUSTED", "RESOURCE_EXHAUSTED"]);
      });
    }

    it("gets the status that the client got, whatever the handler does after the deadline", async (t) => {
      for (const late of ["success", "failure", "stream"] as const) {
        const clock = createFakeClock();
        const notes: string[] = [];
        const entered = createOccasion();
        const ended = createOccasion();
        const { client } = await open(
          t,
          {
            async unary(_request, { signal }) {
              entered.happen();
              await aborted(signal);
              if (late === "failure") throw new ConnectError("late", Code.NotFound);
              return {};
            },
            async *serverStream(_request, { signal }) {
              entered.happen();
              await aborted(signal);
              yield {};
            },
          },
          {
            server: {
              clock,
              maxTimeoutMs: 1000,
              interceptors: [observeCalls("server", () => noting(notes, () => ended.happen()))],
            },
          },
        );
        const call = late === "stream" ? client.serverStream({}) : client.unary({});
        const failing = assertStatus(call, Code.DeadlineExceeded);
        await entered.happened;
        await clock.advance(1010);
        await Promise.all([failing, ended.happened]);
        assert.equal(notes.at(-1), "DEADLINE_EXCEEDED", late);
      }
    });
  });

  it("may leave a call unobserved", async (t) => {
    const { client } = await openInMemory(
      t,
      { unary: () => ({ text: "fine" }) },
      { server: { interceptors: [observeCalls("server", () => undefined)] } },
    );
    assert.equal((await client.unary({})).text, "fine");
  });
});

describe("statusName", () => {
  it("has gRPC's names, and UNKNOWN for any other number", () => {
    assert.equal(statusName(0), "OK");
    assert.equal(statusName(Code.Canceled), "CANCELLED");
    assert.equal(statusName(Code.Unauthenticated), "UNAUTHENTICATED");
    for (const none of [-1, 17, 0.5, Number.NaN]) assert.equal(statusName(none), "UNKNOWN");
  });
});
