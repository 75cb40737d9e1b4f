import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:http2";
import { performance } from "node:perf_hooks";
import { describe, it } from "node:test";
import { Code, createClient } from "@connectrpc/connect";
import { callInfo } from "@tercel/grpc";
import { createHookedInterceptor } from "@tercel/grpc/hooks";
import { createStubServer } from "@tercel/grpc/testing";
import { collect, streamOf } from "@tercel/test-support/async";
import { EchoService } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { type EchoHandlers, echoRoutes, openInMemory, recordingLog } from "./support/open-echo.ts";
import { framed, grpcHeaders, openRawClient } from "./support/raw-client.ts";

const handlers: EchoHandlers = {
  unary: () => ({}),
  async *bidi(requests) {
    for await (const _request of requests) yield {};
  },
};

/** A hook that notes what it is told, in order. */
function createNoting() {
  const notes: string[] = [];
  let arrivedAtMs: number | undefined;
  const hook = createHookedInterceptor({
    onArrival: (method) => void notes.push(`${method.name} arrived`),
    onUnhandled: (method, code, durationMs) =>
      void notes.push(`${method.name} not handled: ${Code[code]} after ${durationMs > 0 ? "some" : "no"} time`),
    begin(request) {
      arrivedAtMs = request.contextValues.get(callInfo)?.arrivedAtMs;
      notes.push(`${request.method.name} begun`);
    },
  });
  return { notes, hook, arrivedAtMs: () => arrivedAtMs };
}

describe("a server's interceptors", () => {
  it("are told of a call when its headers arrive, and know when that was", async (t) => {
    const { notes, hook, arrivedAtMs } = createNoting();
    const stub = await createStubServer(echoRoutes(handlers), { serverOptions: { interceptors: [hook] } });
    t.after(() => stub.close({ deadlineMs: 0 }));
    const session = connect(`http://${stub.target}`);
    t.after(() => session.destroy());
    await once(session, "connect");
    const beforeMs = performance.now();
    const request = session.request(grpcHeaders, { endStream: false });
    await new Promise((resolve) => session.ping(resolve));
    assert.deepEqual(notes, ["Unary arrived"]);
    const afterMs = performance.now();
    request.resume();
    request.end(framed(Buffer.of()));
    await once(request, "close");
    assert.deepEqual(notes, ["Unary arrived", "Unary begun"]);
    const atMs = arrivedAtMs() ?? Number.NaN;
    assert.ok(beforeMs <= atMs && atMs <= afterMs, `${beforeMs} ${atMs} ${afterMs}`);
  });

  it("are told of those that end before their steps begin", async (t) => {
    const { notes, hook } = createNoting();
    const serverOptions = { interceptors: [hook], maxReceiveMessageBytes: 10, log: recordingLog().log };
    const stub = await createStubServer(echoRoutes(handlers), { serverOptions });
    t.after(() => stub.close({ deadlineMs: 0 }));
    const send = openRawClient(t, stub.target);
    await send({}, framed(Buffer.alloc(11)));
    await send({ "grpc-encoding": "rot13" });
    await send({ "grpc-timeout": "0n" }, framed(Buffer.of()));
    await send({ ":path": "/no.Service/Unary" });
    assert.deepEqual(
      notes.filter((note) => note !== "Unary arrived"),
      ["ResourceExhausted", "Unimplemented", "DeadlineExceeded"].map(
        (code) => `Unary not handled: ${code} after some time`,
      ),
    );
    assert.equal(notes.length, 6);
  });

  it("are not told of the end of calls that reached a handler, and those of streams begin at once", async (t) => {
    const { notes, hook } = createNoting();
    const { client } = await openInMemory(t, handlers, { server: { interceptors: [hook, (next) => next] } });
    await client.unary({});
    await collect(client.bidi(streamOf({}, {})));
    assert.deepEqual(notes, ["Unary arrived", "Unary begun", "Bidi arrived", "Bidi begun"]);
  });

  it("may throw at an arrival without harm", async (t) => {
    const fail = (): never => {
      throw new Error("full");
    };
    const hook = createHookedInterceptor({ onArrival: fail, onUnhandled: fail });
    const serverOptions = { interceptors: [hook], log: recordingLog().log };
    const stub = await createStubServer(echoRoutes(handlers), { serverOptions });
    t.after(() => stub.close({ deadlineMs: 0 }));
    const send = openRawClient(t, stub.target);
    assert.equal((await send({ "grpc-encoding": "rot13" })).grpcStatus, "12");
    await createClient(EchoService, stub.transport).unary({});
  });

  it("without a step for arrivals cost no look at the clock", async (t) => {
    let arrivedAtMs: number | undefined = 0;
    const hook = createHookedInterceptor({
      begin(request) {
        arrivedAtMs = request.contextValues.get(callInfo)?.arrivedAtMs;
      },
    });
    const { client } = await openInMemory(t, handlers, { server: { interceptors: [hook] } });
    await client.unary({});
    assert.equal(arrivedAtMs, undefined);
  });
});
