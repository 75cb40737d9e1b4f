// Large messages that come at the same time, more than a server holds at once.
import assert from "node:assert/strict";
import { connect } from "node:http2";
import { describe, it, type TestContext } from "node:test";
import { Client, credentials } from "@grpc/grpc-js";
import type { LimitExceeded } from "@tercel/grpc/hooks";
import { createFakeClock, createStubServer } from "@tercel/grpc/testing";
import { collect, createOccasion, settled } from "@tercel/test-support/async";
import { echoRoutes, overBothTransports, recordingLog } from "./support/open-echo.ts";
import { framed, grpcHeaders, openRawClient, unaryPath } from "./support/raw-client.ts";

const mebibyte = 1_048_576;
/** Twelve of these are held at most; forty come. */
const limits = {
  unfinishedMessages: { maxBytes: mebibyte },
  windows: { streamBytes: mebibyte / 4, connectionBytes: 4 * mebibyte },
};
const uploads = 40;
const payload = new Uint8Array(mebibyte).fill(7);

const handlers = {
  unary: (request: { payload: Uint8Array }) => ({ count: request.payload.length }),
  async clientStream(requests: AsyncIterable<{ payload: Uint8Array }>) {
    const all = await collect(requests);
    return { count: all.reduce((sum, request) => sum + request.payload.length, 0) };
  },
};

describe("large requests that come at the same time, more than the budget", () => {
  overBothTransports((open) => {
    it("are all received, one after the other", async (t) => {
      const strikes: LimitExceeded[] = [];
      const { client } = await open(t, handlers, { server: { limits, onLimit: (strike) => strikes.push(strike) } });
      async function* requests() {
        for (let at = 0; at < 3; at++) yield { payload };
      }
      const unary = Array.from({ length: uploads }, async () => (await client.unary({ payload })).count);
      const streams = Array.from({ length: 10 }, async () => (await client.clientStream(requests())).count);
      assert.deepEqual(new Set(await Promise.all(unary)), new Set([mebibyte]));
      assert.deepEqual(new Set(await Promise.all(streams)), new Set([3 * mebibyte]));
      assert.ok(strikes.every(({ limit, action }) => limit === "unfinished_messages" && action === "paused"));
      assert.ok(strikes.length > 0, "the budget was never used up");
    });

    it("are all received by a client as well", async (t) => {
      const { client } = await open(
        t,
        { unary: () => ({ payload }) },
        { channel: { limits: { ...limits, unfinishedMessages: { maxBytes: mebibyte } } } },
      );
      const responses = await Promise.all(Array.from({ length: uploads }, () => client.unary({})));
      assert.ok(responses.every((response) => response.payload.length === mebibyte));
    });
  });

  it("are all answered as grpc-js sees it", async (t) => {
    const strikes: LimitExceeded[] = [];
    const stub = await createStubServer(echoRoutes(handlers), {
      serverOptions: { limits, log: recordingLog().log, onLimit: (strike) => strikes.push(strike) },
    });
    t.after(() => stub.close({ deadlineMs: 0 }));
    const client = new Client(stub.target, credentials.createInsecure());
    t.after(() => client.close());
    // Field 2, of which the length takes three bytes.
    const request = Buffer.concat([Buffer.of(0x12, 0x80, 0x80, 0x40), payload]);
    const call = () =>
      new Promise<Buffer>((resolve, reject) => {
        const bytes = (it: Buffer): Buffer => it;
        client.makeUnaryRequest(unaryPath, bytes, bytes, request, (error, response) => {
          if (error === null && response !== undefined) resolve(response);
          else reject(error);
        });
      });
    const responses = await Promise.all(Array.from({ length: uploads }, call));
    assert.ok(responses.every((response) => response.toString("hex") === "18808040"));
    assert.deepEqual(
      new Set(strikes.map(({ limit, action }) => `${limit} ${action}`)),
      new Set(["unfinished_messages paused"]),
    );
  });
});

/** Opens calls that send all but the last byte of a message. */
function openUnfinished(t: TestContext, target: string, calls: number): void {
  const session = connect(`http://${target}`).on("error", () => {});
  t.after(() => session.destroy());
  const most = framed(payload).subarray(0, -1);
  for (let at = 0; at < calls; at++) {
    session
      .request({ ...grpcHeaders }, { endStream: false })
      .on("error", () => {})
      .write(most);
  }
}

describe("messages that never end", () => {
  it("do not keep small calls from being answered, nor large ones once ten seconds have passed", async (t) => {
    const clock = createFakeClock();
    const paused = createOccasion();
    const reset = createOccasion();
    const stub = await createStubServer(echoRoutes(handlers), {
      serverOptions: {
        clock,
        log: recordingLog().log,
        limits: { ...limits, unfinishedMessages: { maxBytes: mebibyte, sharedBytes: mebibyte } },
        onLimit: ({ action }) => (action === "reset" ? reset : paused).happen(),
      },
    });
    t.after(() => stub.close({ deadlineMs: 0 }));
    openUnfinished(t, stub.target, 6);
    await paused.happened;
    const send = openRawClient(t, stub.target);
    assert.equal((await send({}, framed(new Uint8Array(0)))).grpcStatus, "0");

    let isAnswered = false;
    const large = send({}, framed(Buffer.concat([Buffer.of(0x12, 0x80, 0x80, 0x40), payload]))).then((response) => {
      isAnswered = true;
      return response;
    });
    // Each round takes their room from those that have it.
    for (let round = 0; round < 20 && !isAnswered; round++) {
      await settled(() => 0);
      await clock.advance(11_000);
    }
    assert.ok(isAnswered);
    await reset.happened;
    assert.equal((await large).grpcStatus, "0");
  });
});
