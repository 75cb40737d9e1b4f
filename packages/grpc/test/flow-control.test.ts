import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { Code } from "@connectrpc/connect";
import { assertStatus } from "@tercel/grpc/testing";
import { aborted, createOccasion, settled, streamOf } from "@tercel/test-support/async";
import { EchoService } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { overBothTransports } from "./support/open-echo.ts";

const messageBytes = 64 * 1024;
const totalMessages = 1024;
/**
 * What may be under way when no one reads: the stream's window of 1 MiB, 64 KiB in the sender's stream, and on a socket what
 * the kernel holds beyond the window, which is nothing. A few messages more are between generator and stream.
 */
const mostAhead = (1024 + 64) / 64 + 4;
/** As they are by default, and fixed: a reader that catches up would be given more. */
const limits = { windows: { streamBytes: 1_048_576, connectionBytes: 1_048_576 } };
const fixedWindows = { server: { limits }, channel: { limits } };

describe("a slow reader", () => {
  overBothTransports((open) => {
    it("holds a server's generator back: 64 MiB never run more than a window ahead", async (t) => {
      const payload = randomBytes(messageBytes);
      let made = 0;
      const { transport } = await open(
        t,
        {
          async *serverStream() {
            for (; made < totalMessages; made++) yield { payload };
          },
        },
        fixedWindows,
      );
      const { serverStream } = EchoService.method;
      const response = await transport.stream(serverStream, undefined, undefined, undefined, streamOf({}));
      // The window is used.
      const beforeReading = await settled(() => made, 16);
      assert.ok(beforeReading <= mostAhead, `${beforeReading} messages were made before anybody read`);
      let taken = 0;
      let furthest = 0;
      for await (const message of response.message) {
        taken++;
        furthest = Math.max(furthest, made - taken);
        assert.equal(message.payload.length, messageBytes);
        if (taken % 256 === 0) await settled(() => made);
      }
      assert.equal(taken, totalMessages);
      assert.ok(furthest <= mostAhead, `the generator was ${furthest} messages ahead`);
    });

    it("holds a client's generator back just so", async (t) => {
      const payload = randomBytes(messageBytes);
      let made = 0;
      let taken = 0;
      let furthest = 0;
      const begin = createOccasion();
      const { client } = await open(
        t,
        {
          async clientStream(requests) {
            await begin.happened;
            for await (const _request of requests) {
              taken++;
              furthest = Math.max(furthest, made - taken);
              if (taken % 256 === 0) await settled(() => made);
            }
            return { count: taken };
          },
        },
        fixedWindows,
      );
      async function* requests() {
        for (; made < totalMessages; made++) yield { payload };
      }
      const call = client.clientStream(requests());
      const beforeReading = await settled(() => made, 16);
      assert.ok(beforeReading <= mostAhead, `${beforeReading} messages were made before anybody read`);
      begin.happen();
      assert.equal((await call).count, totalMessages);
      assert.ok(furthest <= mostAhead, `the generator was ${furthest} messages ahead`);
    });

    it("of one stream does not hold up the others on the connection, nor what it left unread once it is gone", async (t) => {
      const payload = randomBytes(messageBytes);
      const { client, transport } = await open(
        t,
        {
          unary: () => ({ text: "through" }),
          async *serverStream(_request, context) {
            while (!context.signal.aborted) yield { payload };
          },
        },
        { channel: { limits: { windows: { streamBytes: 256 * 1024, connectionBytes: 1024 * 1024 } } } },
      );
      const { serverStream } = EchoService.method;
      // Ten streams, three of which at a time fill most of the connection's window and are then given up unread.
      for (let round = 0; round < 5; round++) {
        const controller = new AbortController();
        const unread = await Promise.all(
          [0, 1, 2].map(() => transport.stream(serverStream, controller.signal, undefined, undefined, streamOf({}))),
        );
        assert.equal((await client.unary({})).text, "through");
        controller.abort();
        for (const response of unread) await assertStatus(response.message, Code.Canceled);
      }
      assert.equal((await client.unary({})).text, "through");
    });

    it("of one stream does not hold up a call next to it, with the windows as they are by default", async (t) => {
      const payload = randomBytes(messageBytes);
      let made = 0;
      const { client, transport } = await open(t, {
        unary: () => ({ text: "through", payload }),
        async *serverStream(_request, context) {
          for (; !context.signal.aborted; made++) yield { payload };
        },
      });
      const controller = new AbortController();
      const { serverStream } = EchoService.method;
      const unread = await transport.stream(serverStream, controller.signal, undefined, undefined, streamOf({}));
      await settled(() => made, 16);
      assert.equal((await client.unary({})).text, "through");
      controller.abort();
      await assertStatus(unread.message, Code.Canceled);
    });

    it("that leaves lets the writer go: a handler that waits for room is not left waiting", async (t) => {
      const left = createOccasion();
      const payload = randomBytes(messageBytes);
      let made = 0;
      const { transport } = await open(t, {
        async *serverStream() {
          try {
            for (;;) {
              made++;
              yield { payload };
            }
          } finally {
            left.happen();
          }
        },
      });
      const controller = new AbortController();
      const { serverStream } = EchoService.method;
      const response = await transport.stream(serverStream, controller.signal, undefined, undefined, streamOf({}));
      await settled(() => made, 16);
      controller.abort();
      await left.happened;
      await assertStatus(response.message, Code.Canceled);
    });

    it("of requests that leaves lets the client's generator go", async (t) => {
      const left = createOccasion();
      let made = 0;
      const { client } = await open(t, {
        async clientStream(_requests, context) {
          await Promise.race([aborted(context.signal), settled(() => made)]);
          return { text: "enough" };
        },
      });
      async function* requests() {
        try {
          for (;;) {
            made++;
            yield { payload: randomBytes(messageBytes) };
          }
        } finally {
          left.happen();
        }
      }
      assert.equal((await client.clientStream(requests())).text, "enough");
      await left.happened;
    });
  });
});
