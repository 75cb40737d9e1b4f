// RFC 9113 §6.5.2: what a peer says it accepts. Metadata beyond it costs the call that has it, before it is sent, and no other.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { createOccasion } from "@tercel/test-support/async";
import { type EchoHandlers, type EchoOptions, openOverSocket, overBothTransports } from "./support/open-echo.ts";

const limitBytes = 4096;
const server: EchoOptions = { server: { maxMetadataBytes: limitBytes } };
const client: EchoOptions = { channel: { limits: { headers: { maxListBytes: limitBytes } } } };

/** Fails with both sizes in the text; returns by how many bytes the metadata was too large. */
async function excess(call: Promise<unknown>, part: string): Promise<number> {
  const error = await call.then(
    () => assert.fail("the call succeeded"),
    (reason) => ConnectError.from(reason),
  );
  assert.equal(error.code, Code.ResourceExhausted, error.message);
  const pattern =
    /^the (.+) take (\d+) bytes, and the (server|client) accepts (\d+) at most \(SETTINGS_MAX_HEADER_LIST_SIZE\)/;
  const [, what, bytes, , limit] = pattern.exec(error.rawMessage) ?? assert.fail(error.rawMessage);
  assert.deepEqual([what, limit], [part, String(limitBytes)]);
  return Number(bytes) - limitBytes;
}

describe("metadata that the other side does not accept", () => {
  overBothTransports((open) => {
    it("in a request fails that call alone, from one byte over the limit on", async (t) => {
      const release = createOccasion();
      const entered = createOccasion();
      const handlers: EchoHandlers = {
        async unary(request) {
          if (request.text !== "held") return {};
          entered.happen();
          await release.happened;
          return { text: "unharmed" };
        },
      };
      const opened = await open(t, handlers, server);
      const held = opened.client.unary({ text: "held" });
      await entered.happened;
      const call = (length: number) => opened.client.unary({}, { headers: { "x-large": "x".repeat(length) } });
      const tooLarge = 5 * limitBytes;
      const fitting = tooLarge - (await excess(call(tooLarge), "request headers"));
      assert.equal(await excess(call(fitting + 1), "request headers"), 1);
      await call(fitting);
      assert.equal(opened.server.openConnections, 1);
      release.happen();
      assert.equal((await held).text, "unharmed");
    });

    for (const part of ["header", "trailer"] as const) {
      it(`in a response's ${part}s fails that call alone, from one byte over the limit on`, async (t) => {
        const release = createOccasion();
        const entered = createOccasion();
        const handlers: EchoHandlers = {
          async unary(request, context) {
            if (request.text === "held") {
              entered.happen();
              await release.happened;
              return { text: "unharmed" };
            }
            const metadata = part === "header" ? context.responseHeader : context.responseTrailer;
            metadata.set("x-large", "x".repeat(request.count));
            return {};
          },
          // biome-ignore lint/correctness/useYield: a stream without messages has its head and its trailers all the same.
          async *serverStream(request, context) {
            const metadata = part === "header" ? context.responseHeader : context.responseTrailer;
            metadata.set("x-large", "x".repeat(request.count));
          },
        };
        const opened = await open(t, handlers, client);
        const held = opened.client.unary({ text: "held" });
        await entered.happened;
        const call = (length: number) => opened.client.unary({ count: length });
        const tooLarge = 5 * limitBytes;
        const fitting = tooLarge - (await excess(call(tooLarge), `response ${part}s`));
        assert.equal(await excess(call(fitting + 1), `response ${part}s`), 1);
        await call(fitting);
        const stream = opened.client.serverStream({ count: tooLarge })[Symbol.asyncIterator]();
        await excess(stream.next(), `response ${part}s`);
        assert.equal(opened.server.openConnections, 1);
        release.happen();
        assert.equal((await held).text, "unharmed");
      });
    }
  });

  it("does not hide the error of the handler that set it", async (t) => {
    const opened = await openOverSocket(
      t,
      {
        unary(_request, context) {
          context.responseHeader.set("x-large", "x".repeat(5 * limitBytes));
          throw new ConnectError("no such book", Code.NotFound);
        },
      },
      client,
    );
    const error = await opened.client.unary({}).then(() => assert.fail("succeeded"), ConnectError.from);
    assert.deepEqual([error.code, error.rawMessage], [Code.NotFound, "no such book"]);
    assert.deepEqual(
      opened.logged.map(({ message }) => message),
      ["response metadata was left out"],
    );
  });
});
