import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { type CallInfo, callInfo } from "@tercel/grpc";
import type { EndedCall } from "@tercel/grpc/hooks";
import { readHeader } from "@tercel/grpc/hooks";
import { assertStatus, createFakeClock, createStubServer } from "@tercel/grpc/testing";
import { aborted, collect, createOccasion, streamOf } from "@tercel/test-support/async";
import { EchoService } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { echoRoutes, openInMemory, overBothTransports } from "./support/open-echo.ts";

describe("a call's info", () => {
  it("names the client's address, to interceptors and handlers, also when the connection is gone", async (t) => {
    const seen: (string | undefined)[] = [];
    let kept: CallInfo | undefined;
    const noting: Interceptor = (next) => (request) => {
      seen.push(request.contextValues.get(callInfo)?.peerAddress);
      return next(request);
    };
    const stub = await createStubServer(
      echoRoutes({
        unary(_request, context) {
          kept = context.values.get(callInfo);
          seen.push(kept?.peerAddress);
          return {};
        },
      }),
      { serverOptions: { interceptors: [noting] } },
    );
    t.after(() => stub.close({ deadlineMs: 0 }));
    await createClient(EchoService, stub.transport).unary({});
    assert.match(seen[0] ?? "", /^127\.0\.0\.1:\d+$/);
    assert.deepEqual(seen, [seen[0], seen[0]]);
    await stub.close();
    assert.equal(kept?.peerAddress, seen[0]);
  });

  it("names no address where there is none", async (t) => {
    let info: CallInfo | undefined;
    const { client } = await openInMemory(t, {
      unary(_request, context) {
        info = context.values.get(callInfo);
        return {};
      },
    });
    await client.unary({});
    assert.ok(info !== undefined);
    assert.deepEqual([info.peerAddress, info.endedBy], [undefined, undefined]);
  });

  overBothTransports((open) => {
    it("tells a handler that still runs what the client was told", async (t) => {
      const clock = createFakeClock();
      const entered = createOccasion();
      const told = createOccasion<Code | undefined>();
      const { client } = await open(
        t,
        {
          async unary(_request, context) {
            const info = context.values.get(callInfo);
            assert.ok(info !== undefined && info.endedBy === undefined);
            entered.happen();
            await aborted(context.signal);
            told.happen((info as CallInfo).endedBy?.code);
            return {};
          },
        },
        { server: { clock, maxTimeoutMs: 1000 } },
      );
      const call = assertStatus(client.unary({}), Code.DeadlineExceeded);
      await entered.happened;
      await clock.advance(1010);
      assert.equal(await told.happened, Code.DeadlineExceeded);
      await call;
    });

    it("tells of the call's end behind all interceptors, with the bytes of its messages as they were sent", async (t) => {
      const ends: EndedCall[] = [];
      const notes: string[] = [];
      const watching: Interceptor = (next) => async (request) => {
        const info = request.contextValues.get(callInfo);
        info?.whenOver(() => {
          throw new Error("its own affair");
        });
        info?.whenOver((call) => {
          const { endedBy, sentMessageBytes, receivedMessageBytes } = call;
          ends.push(call);
          notes.push(`${endedBy?.code ?? "OK"} sent ${sentMessageBytes} received ${receivedMessageBytes}`);
        });
        const response = await next(request);
        assert.deepEqual(ends, []);
        return response;
      };
      const { client } = await open(
        t,
        {
          unary: ({ text }) => ({ text: `${text}!` }),
          async *bidi(requests) {
            for await (const { text } of requests) yield { text };
            throw new ConnectError("enough", Code.Aborted);
          },
        },
        { server: { interceptors: [watching] } },
      );
      await client.unary({ text: "abc" });
      assert.deepEqual(notes.splice(0), ["OK sent 6 received 5"]);
      ends.length = 0;
      await assertStatus(collect(client.bidi(streamOf({ text: "a" }, { text: "" }))), Code.Aborted);
      assert.deepEqual(notes, [`${Code.Aborted} sent 3 received 3`]);
    });

    it("tells of messages as they pass, to all who watch, and whoever is late how many they have missed", async (t) => {
      const notes: string[] = [];
      const watch = (name: string, onReceived = () => {}) => ({
        onSent: (bytes: number) => void notes.push(`${name} sent ${bytes}`),
        onReceived(bytes: number) {
          notes.push(`${name} received ${bytes}`);
          onReceived();
        },
      });
      const broken = {
        onSent() {
          throw new Error("its own affair");
        },
        onReceived() {
          throw new Error("its own affair");
        },
      };
      const watching: Interceptor = (next) => async (request) => {
        const info = request.contextValues.get(callInfo);
        if (info === undefined) return assert.fail();
        const twoAreThere = createOccasion();
        let received = 0;
        const first = watch("first", () => {
          if (++received === 2) twoAreThere.happen();
        });
        assert.deepEqual([info.watchMessages(broken), info.watchMessages(first)], [0, 0]);
        if (request.stream) await twoAreThere.happened;
        notes.push(`second missed ${info.watchMessages(watch("second"))}`);
        return next(request);
      };
      const { client } = await open(
        t,
        {
          unary: ({ text }) => ({ text: `${text}!` }),
          async clientStream(requests) {
            await collect(requests);
            return { text: "abc" };
          },
        },
        { server: { interceptors: [watching] } },
      );
      await client.unary({ text: "abc" });
      assert.deepEqual(notes.splice(0), [
        "first received 5",
        "second received 5",
        "second missed 0",
        "first sent 6",
        "second sent 6",
      ]);
      await client.clientStream(streamOf({ text: "a" }, {}));
      assert.deepEqual(notes, [
        "first received 3",
        "first received 0",
        "second missed 2",
        "first sent 5",
        "second sent 5",
      ]);
    });

    it("tells of the end at once when the call is over already", async (t) => {
      const clock = createFakeClock();
      const entered = createOccasion();
      const told = createOccasion<Code | undefined>();
      const { client } = await open(
        t,
        {
          async unary(_request, context) {
            entered.happen();
            await aborted(context.signal);
            context.values.get(callInfo)?.whenOver(({ endedBy }) => told.happen(endedBy?.code));
            return {};
          },
        },
        { server: { clock, maxTimeoutMs: 1000 } },
      );
      const call = assertStatus(client.unary({}), Code.DeadlineExceeded);
      await entered.happened;
      await clock.advance(1010);
      assert.equal(await told.happened, Code.DeadlineExceeded);
      await call;
    });

    it("reads single headers as interceptors before have left them", async (t) => {
      const seen: (string | null)[] = [];
      const reading: Interceptor = (next) => (request) => {
        seen.push(readHeader(request, "x-tag"));
        return next(request);
      };
      const setting: Interceptor = (next) => (request) => {
        request.header.set("x-tag", "set");
        return next(request);
      };
      const replacing: Interceptor = (next) => (request) =>
        next({ ...request, header: new Headers({ "x-tag": "replaced" }) });
      const { client } = await open(
        t,
        { unary: () => ({}) },
        { server: { interceptors: [reading, setting, reading, replacing, reading] } },
      );
      await client.unary({}, { headers: { "x-tag": "sent" } });
      await client.unary({});
      assert.deepEqual(seen, ["sent", "set", "replaced", null, "set", "replaced"]);
    });
  });
});
