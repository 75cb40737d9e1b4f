import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { createFakeClock } from "@tercel/grpc/testing";
import { aborted, createOccasion } from "@tercel/test-support/async";
import { openOverSocket } from "../support/open-echo.ts";

/** A stream of requests that never ends and never says anything. */
const silence: AsyncIterable<never> = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) };

describe("closing a channel", () => {
  it("ends a stream that its reader has left once the deadline has passed", async (t) => {
    const clock = createFakeClock();
    let hasEnded = false;
    const cancelled = createOccasion<unknown>();
    const { client, transport } = await openOverSocket(
      t,
      {
        async *bidi(_requests, context) {
          yield { text: "first" };
          cancelled.happen(await aborted(context.signal));
        },
      },
      { channel: { clock } },
    );
    const responses = client.bidi(silence)[Symbol.asyncIterator]();
    assert.equal((await responses.next()).value?.text, "first");
    const closed = transport.close({ deadlineMs: 5000 });
    void closed.then(() => {
      hasEnded = true;
    });
    await clock.advance(4999);
    assert.ok(!hasEnded);
    await clock.advance(1);
    await closed;
    await cancelled.happened;
    const error = await responses.next().catch(ConnectError.from);
    assert.ok(error instanceof ConnectError && error.code === Code.Unavailable);
    assert.match(
      error.rawMessage,
      /^the channel to ".*" was closed while the call was open, and the deadline of 5000 ms has passed.* while receiving/,
    );
  });

  it("lets an open call end within the deadline", async (t) => {
    const entered = createOccasion();
    const leave = createOccasion();
    const { client, transport } = await openOverSocket(t, {
      async unary() {
        entered.happen();
        await leave.happened;
        return { text: "in time" };
      },
    });
    const answer = client.unary({});
    await entered.happened;
    const closed = transport.close();
    leave.happen();
    assert.equal((await answer).text, "in time");
    await closed;
  });

  it("ends open calls at once with a deadline of 0, and refuses what is not a deadline", async (t) => {
    const entered = createOccasion();
    const { client, transport } = await openOverSocket(t, {
      async unary(_request, context) {
        entered.happen();
        await aborted(context.signal);
        return {};
      },
    });
    const answer = client.unary({}).catch(ConnectError.from);
    await entered.happened;
    assert.throws(() => transport.close({ deadlineMs: -1 }), RangeError);
    assert.throws(() => transport.close({ deadline: 1 } as object), /deadlineMs/);
    await transport.close({ deadlineMs: 0 });
    const error = await answer;
    assert.ok(error instanceof ConnectError && error.code === Code.Unavailable);
    assert.match(error.rawMessage, /^the channel to ".*" was closed while the call was open.* while waiting/);
  });
});
