// Clients that call and leave the responses unread: what waits for them is bounded, and those that read get everything.
import assert from "node:assert/strict";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from "node:http2";
import { describe, it, type TestContext } from "node:test";
import { Client, credentials } from "@grpc/grpc-js";
import { createFakeClock, createStubServer } from "@tercel/grpc/testing";
import type { ConnectionLimitOptions } from "@tercel/http2";
import { settled } from "@tercel/test-support/async";
import { type EchoHandlers, echoRoutes, openOverSocket, recordingLog } from "./support/open-echo.ts";
import { framed, grpcHeaders, unaryPath } from "./support/raw-client.ts";

const mebibyte = 1_048_576;
const payload = new Uint8Array(65_536);
/** With the message's two fields and gRPC's prefix; sixteen are the first that are more than the limit. */
const limits: ConnectionLimitOptions = { output: { maxWaitingBytes: mebibyte } };
const mostHandlers = 16;

/** A server whose handlers answer with 64 KiB, and a client that gives no window before it is told to. */
async function openUnread(test: TestContext, handlers: EchoHandlers) {
  const clock = createFakeClock();
  const stub = await createStubServer(echoRoutes(handlers), {
    serverOptions: { clock, limits, log: recordingLog().log },
  });
  const session = connect(`http://${stub.target}`, { settings: { initialWindowSize: 0 } }).on("error", () => {});
  test.after(async () => {
    session.destroy();
    await stub.close({ deadlineMs: 0 });
  });
  const call = (text: string, headers: OutgoingHttpHeaders = {}): ClientHttp2Stream => {
    const stream = session.request({ ...grpcHeaders, ...headers });
    const message = Buffer.from(text);
    stream.on("error", () => {}).end(framed(Buffer.concat([Buffer.of(0x0a, message.length), message])));
    return stream;
  };
  return { clock, session, call };
}

function giveWindow(session: ClientHttp2Session): void {
  session.settings({ initialWindowSize: mebibyte });
}

function grpcStatusOf(stream: ClientHttp2Stream): Promise<unknown> {
  return new Promise((resolve) => {
    let status: unknown;
    const look = (fields: { "grpc-status"?: unknown }): void => {
      status ??= fields["grpc-status"];
    };
    stream
      .on("response", look)
      .on("trailers", look)
      .on("close", () => resolve(status))
      .resume();
  });
}

describe("responses that a client leaves unread", () => {
  for (const [kind, wait] of [
    ["at once", () => undefined],
    ["after a microtask", () => Promise.resolve()],
  ] as const) {
    it(`are bounded at their peak where handlers answer ${kind}, and all are sent in order once it reads`, async (test) => {
      const begun: string[] = [];
      const { session, call } = await openUnread(test, {
        async unary({ text }) {
          begun.push(text);
          await wait();
          return { payload };
        },
      });
      const texts = Array.from({ length: 100 }, (_, nth) => `${nth}`);
      const statuses = texts.map((text) => grpcStatusOf(call(text)));
      await settled(() => begun.length, 1);
      assert.ok(begun.length <= mostHandlers, `${begun.length} handlers`);
      giveWindow(session);
      assert.deepEqual(new Set(await Promise.all(statuses)), new Set(["0"]));
      assert.deepEqual(begun, texts);
    });
  }

  it("are bounded for streams of responses as well", async (test) => {
    let begun = 0;
    const { call } = await openUnread(test, {
      async *serverStream() {
        begun++;
        for (;;) yield { payload };
      },
    });
    for (let nth = 0; nth < 100; nth++) call("", { ":path": unaryPath.replace("Unary", "ServerStream") });
    await settled(() => begun, 1);
    assert.ok(begun <= mostHandlers, `${begun} handlers`);
  });
});

describe("a request that is held", () => {
  it("ends by its deadline and by its client, and is not handled then", async (test) => {
    const begun: string[] = [];
    const { clock, session, call } = await openUnread(test, {
      unary({ text }) {
        begun.push(text);
        return { payload };
      },
    });
    const others = Array.from({ length: 40 }, (_, nth) => grpcStatusOf(call(`${nth}`)));
    await settled(() => begun.length, 1);
    const timed = grpcStatusOf(call("timed", { "grpc-timeout": "5S" }));
    const cancelled = call("cancelled");
    const patient = grpcStatusOf(call("patient", { "grpc-timeout": "50S" }));
    const cancelledEnded = grpcStatusOf(cancelled);
    await new Promise((resolve) => session.ping(resolve));
    await clock.advance(5000);
    assert.equal(await timed, "4");
    cancelled.close(8);
    await cancelledEnded;
    giveWindow(session);
    assert.deepEqual(new Set(await Promise.all([...others, patient])), new Set(["0"]));
    assert.deepEqual(begun.slice(40), ["patient"]);
  });
});

/** So many downloads of 1 MiB, a hundred at a time. */
async function download(one: () => Promise<number>): Promise<void> {
  let left = 500;
  const worker = async (): Promise<void> => {
    while (left-- > 0) assert.equal(await one(), mebibyte);
  };
  await Promise.all(Array.from({ length: 100 }, worker));
}

describe("500 responses of 1 MiB, 100 at a time on one connection", () => {
  const large = new Uint8Array(mebibyte);

  it("are all received by a channel", async (test) => {
    const { client } = await openOverSocket(test, { unary: () => ({ payload: large }) });
    await download(async () => (await client.unary({})).payload.length);
  });

  it("are all received by grpc-js, from handlers that wait", async (test) => {
    const stub = await createStubServer(
      echoRoutes({
        async unary() {
          await new Promise((resolve) => setImmediate(resolve));
          return { payload: large };
        },
      }),
    );
    const client = new Client(stub.target, credentials.createInsecure());
    test.after(async () => {
      client.close();
      await stub.close({ deadlineMs: 0 });
    });
    const bytes = (it: Buffer): Buffer => it;
    await download(
      () =>
        new Promise((resolve, reject) => {
          client.makeUnaryRequest(unaryPath, bytes, bytes, Buffer.alloc(0), (error, response) => {
            // A field of four bytes before the payload.
            if (error === null && response !== undefined) resolve(response.length - 4);
            else reject(error);
          });
        }),
    );
  });
});
