import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { Code } from "@connectrpc/connect";
import { assertStatus } from "@tercel/grpc/testing";
import { collect, streamOf } from "@tercel/test-support/async";
import { type EchoHandlers, overBothTransports } from "./support/open-echo.ts";

const echo: EchoHandlers = {
  unary: (request) => ({ payload: request.payload }),
  async *bidi(requests) {
    for await (const request of requests) yield { payload: request.payload };
  },
};

/** Makes a message of that many bytes on the wire. */
function payloadFor(messageBytes: number): Uint8Array {
  // Tag, length in one to four bytes, payload.
  for (let header = 2; header <= 5; header++) {
    const payload = messageBytes - header;
    const lengthBytes = payload < 128 ? 1 : payload < 16_384 ? 2 : payload < 2_097_152 ? 3 : 4;
    if (lengthBytes + 1 === header) return randomBytes(payload);
  }
  throw new Error(`no payload makes ${messageBytes}`);
}

describe("the limits of messages", () => {
  overBothTransports((open) => {
    it("let through a message of exactly the size, in both directions, and not one byte more", async (t) => {
      for (const limit of [100, 20_000, 300_000]) {
        const incoming = await open(t, echo, { server: { maxReceiveMessageBytes: limit } });
        assert.ok(await incoming.client.unary({ payload: payloadFor(limit) }));
        const over = { payload: payloadFor(limit + 1) };
        await assertStatus(incoming.client.unary(over), Code.ResourceExhausted, new RegExp(`${limit + 1}.*${limit}`));
        await assertStatus(incoming.client.bidi(streamOf(over)), Code.ResourceExhausted);

        const outgoing = await open(t, echo, { channel: { maxReceiveMessageBytes: limit } });
        assert.ok(await outgoing.client.unary({ payload: payloadFor(limit) }));
        await assertStatus(outgoing.client.unary(over), Code.ResourceExhausted, new RegExp(`${limit + 1}.*${limit}`));
        await assertStatus(outgoing.client.bidi(streamOf(over)), Code.ResourceExhausted);
      }
    });

    it("hold for what is sent as well, before it is sent", async (t) => {
      const client = await open(t, echo, { channel: { maxSendMessageBytes: 100 } });
      assert.ok(await client.client.unary({ payload: payloadFor(100) }));
      await assertStatus(
        client.client.unary({ payload: payloadFor(101) }),
        Code.ResourceExhausted,
        /101.*100.*sending/,
      );
      const stream = streamOf({ payload: payloadFor(100) }, { payload: payloadFor(101) });
      await assertStatus(client.client.bidi(stream), Code.ResourceExhausted, /sending/);

      const server = await open(t, echo, { server: { maxSendMessageBytes: 100 } });
      assert.ok(await server.client.unary({ payload: payloadFor(100) }));
      await assertStatus(
        server.client.unary({ payload: payloadFor(101) }),
        Code.ResourceExhausted,
        /101.*100.*sending/,
      );
    });

    it("are 4 MiB for what is received unless set", async (t) => {
      const { client } = await open(t, echo);
      const most = payloadFor(4 * 1024 * 1024);
      assert.equal((await client.unary({ payload: most })).payload.length, most.length);
      await assertStatus(client.unary({ payload: payloadFor(4 * 1024 * 1024 + 1) }), Code.ResourceExhausted);
    });

    it("of zero take empty messages only", async (t) => {
      const { client } = await open(t, echo, { server: { maxReceiveMessageBytes: 0 } });
      assert.ok(await client.unary({}));
      await assertStatus(client.unary({ count: 1 }), Code.ResourceExhausted);
    });

    it("leave the connection usable when a message is refused", async (t) => {
      const { client } = await open(t, echo, { server: { maxReceiveMessageBytes: 1000 } });
      for (let at = 0; at < 20; at++) {
        await assertStatus(client.unary({ payload: payloadFor(200_000) }), Code.ResourceExhausted);
      }
      const fine = await Promise.all(Array.from({ length: 20 }, () => client.unary({ payload: payloadFor(900) })));
      assert.equal(fine.length, 20);
    });

    it("may be larger than every window: 3 MiB pass through streams that are read slowly", async (t) => {
      const { client } = await open(t, echo, {
        server: { limits: { windows: { streamBytes: 65_535, connectionBytes: 65_535 } } },
        channel: { limits: { windows: { streamBytes: 65_535, connectionBytes: 65_535 } } },
      });
      const payload = randomBytes(3 * 1024 * 1024);
      const [got] = await collect(client.bidi(streamOf({ payload })));
      assert.equal(Buffer.compare(got?.payload ?? new Uint8Array(), payload), 0);
    });
  });
});
