import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:http2";
import { describe, it } from "node:test";
import { Code, createClient } from "@connectrpc/connect";
import type { ServerOptions } from "@tercel/grpc";
import type { UnhandledCall } from "@tercel/grpc/hooks";
import { assertStatus, createStubServer } from "@tercel/grpc/testing";
import { collect, createOccasion, streamOf } from "@tercel/test-support/async";
import { EchoService } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { echoRoutes, recordingLog } from "./support/open-echo.ts";
import { framed, grpcHeaders, openRawClient } from "./support/raw-client.ts";

const service = "/tercel.grpc.test.v1.EchoService";

describe("onUnhandledCall", () => {
  const rows: readonly (readonly [
    what: string,
    headers: Record<string, string>,
    body: readonly Uint8Array[],
    method: string | undefined,
    code: Code,
  ])[] = [
    ["a method that the server does not have", { ":path": `${service}/Nothing` }, [], undefined, Code.Unimplemented],
    ["a service that the server does not have", { ":path": "/no.Service/Unary" }, [], undefined, Code.Unimplemented],
    ["a path that is none", { ":path": "/" }, [], undefined, Code.Unimplemented],
    ["a request that is no gRPC", { "content-type": "text/plain" }, [], undefined, Code.Unknown],
    ["metadata that cannot be read", { "key-bin": "?" }, [], "Unary", Code.Internal],
    ["an encoding that no one knows", { "grpc-encoding": "rot13" }, [], "Unary", Code.Unimplemented],
    ["a time-out that is none", { "grpc-timeout": "soon" }, [], "Unary", Code.Internal],
    ["a time that is up at once", { "grpc-timeout": "0n" }, [framed(Buffer.of())], "Unary", Code.DeadlineExceeded],
    ["a message that is missing", {}, [], "Unary", Code.Unimplemented],
    ["a message that is too large", {}, [framed(Buffer.alloc(11))], "Unary", Code.ResourceExhausted],
    ["a message that cannot be read", {}, [framed(Buffer.of(0xff))], "Unary", Code.Internal],
    [
      "a stream whose time is up",
      { ":path": `${service}/Bidi`, "grpc-timeout": "0n" },
      [],
      "Bidi",
      Code.DeadlineExceeded,
    ],
  ];
  for (const [what, headers, body, method, code] of rows) {
    it(`hears of ${what}`, async (t) => {
      const heard: UnhandledCall[] = [];
      const stub = await createStubServer(
        echoRoutes({}),
        options((call) => heard.push(call), 10),
      );
      t.after(() => stub.close({ deadlineMs: 0 }));
      await openRawClient(t, stub.target)(headers, body);
      assert.deepEqual(
        heard.map((call) => [call.method?.name, call.code]),
        [[method, code]],
      );
      assert.ok((heard[0]?.durationMs ?? 0) > 0);
    });
  }

  it("hears nothing of calls that reached a handler, however they ended", async (t) => {
    const heard: UnhandledCall[] = [];
    const stub = await createStubServer(
      echoRoutes({
        unary({ text }) {
          if (text === "bug") throw new TypeError("a bug");
          return {};
        },
        async *bidi(requests) {
          for await (const _request of requests) yield {};
        },
      }),
      options((call) => heard.push(call)),
    );
    t.after(() => stub.close({ deadlineMs: 0 }));
    const client = createClient(EchoService, stub.transport);
    await client.unary({});
    await assertStatus(client.unary({ text: "bug" }), Code.Internal);
    await collect(client.bidi(streamOf({}, {})));
    assert.deepEqual(heard, []);
  });

  it("hears of a call whose client went away before its message came", async (t) => {
    const told = createOccasion<UnhandledCall>();
    const stub = await createStubServer(echoRoutes({}), options(told.happen));
    t.after(() => stub.close({ deadlineMs: 0 }));
    const session = connect(`http://${stub.target}`);
    t.after(() => session.destroy());
    await once(session, "connect");
    const request = session.request(grpcHeaders, { endStream: false });
    request.on("error", () => {});
    // When the ping is answered the head has been read.
    await new Promise((resolve) => session.ping(resolve));
    session.destroy();
    assert.equal((await told.happened).code, Code.Canceled);
  });

  it("is not all: the log has a line of a call that reached no handler, and none of others", async (t) => {
    const { log, logged } = recordingLog();
    const stub = await createStubServer(echoRoutes({ unary: () => ({}) }), { serverOptions: { log } });
    t.after(() => stub.close({ deadlineMs: 0 }));
    const send = openRawClient(t, stub.target);
    await send({}, [framed(Buffer.of())]);
    assert.equal(logged.length, 0);
    await send({ ":path": "/no.Service/Unary" });
    await send({ "content-type": "text/plain", ":path": `${service}/Unary?key=secret` });
    await send({}, []);
    await send({ "grpc-timeout": "0n" }, [framed(Buffer.of())]);
    assert.deepEqual(
      logged.map(({ level, fields }) => [level, fields.path, fields.code]),
      [
        ["warn", "/no.Service/Unary", "UNIMPLEMENTED"],
        ["warn", `${service}/Unary`, "UNKNOWN"],
        ["warn", `${service}/Unary`, "UNIMPLEMENTED"],
        ["debug", `${service}/Unary`, "DEADLINE_EXCEEDED"],
      ],
    );
    assert.match(String(logged[0]?.fields.peer), /^127\.0\.0\.1:\d+$/);
  });

  it("may throw without harm", async (t) => {
    const stub = await createStubServer(
      echoRoutes({ unary: () => ({}) }),
      options(() => {
        throw new Error("full");
      }),
    );
    t.after(() => stub.close({ deadlineMs: 0 }));
    const send = openRawClient(t, stub.target);
    assert.equal((await send({ ":path": "/no.Service/Unary" })).grpcStatus, "12");
    assert.equal((await send({}, framed(Buffer.of()))).grpcStatus, "0");
  });
});

function options(onUnhandledCall: ServerOptions["onUnhandledCall"] & object, maxReceiveMessageBytes = 1000) {
  return { serverOptions: { onUnhandledCall, maxReceiveMessageBytes, log: recordingLog().log } };
}
