import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { assertStatus } from "@tercel/grpc/testing";
import { streamOf } from "@tercel/test-support/async";
import { EchoRequestSchema, EchoResponseSchema } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { type EchoHandlers, overBothTransports } from "./support/open-echo.ts";

const codes = Object.values(Code).filter((code): code is Code => typeof code === "number");

describe("status", () => {
  overBothTransports((open) => {
    it("carries every code", async (t) => {
      const { client } = await open(t, {
        unary(request) {
          throw new ConnectError(`code ${request.count}`, request.count);
        },
      });
      assert.equal(codes.length, 16);
      for (const code of codes) await assertStatus(client.unary({ count: code }), code, `code ${code}`);
    });

    it("carries any text: umlauts, emoji, percent signs, line breaks, blanks at the ends, nothing", async (t) => {
      const { client } = await open(t, {
        unary(request) {
          throw new ConnectError(request.text, Code.Internal);
        },
      });
      for (const text of [
        "größer als 100 %",
        "🦅 stoops",
        "%41%zz%",
        "two\r\nlines\0",
        "  spaced  ",
        "",
        "\u{10ffff}",
      ]) {
        await assertStatus(client.unary({ text }), Code.Internal, text);
      }
    });

    it("carries details of any type", async (t) => {
      const { client } = await open(t, {
        unary() {
          throw new ConnectError("with details", Code.FailedPrecondition, undefined, [
            { desc: EchoRequestSchema, value: { text: "ö", count: 3 } },
            { desc: EchoResponseSchema, value: { payload: new Uint8Array([0, 255]) } },
          ]);
        },
      });
      const error = await assertStatus(client.unary({}), Code.FailedPrecondition, "with details");
      const [request] = error.findDetails(EchoRequestSchema);
      const [response] = error.findDetails(EchoResponseSchema);
      assert.deepEqual([request?.text, request?.count], ["ö", 3]);
      assert.deepEqual(response?.payload, new Uint8Array([0, 255]));
    });

    it("survives without its details when those are too large", async (t) => {
      const { client } = await open(t, {
        unary() {
          throw new ConnectError("kept", Code.DataLoss, undefined, [
            { desc: EchoRequestSchema, value: { text: "x".repeat(20_000) } },
          ]);
        },
      });
      const error = await assertStatus(client.unary({}), Code.DataLoss, "kept");
      assert.deepEqual(error.details, []);
    });

    it("comes after the header and messages that went before it, and alone when there were none", async (t) => {
      const { client } = await open(t, {
        async *serverStream(request) {
          for (let at = 0; at < request.count; at++) yield {};
          throw new ConnectError("stop", Code.ResourceExhausted);
        },
      });
      for (const count of [0, 3]) {
        let received = 0;
        const heads: Headers[] = [];
        const responses = client.serverStream({ count }, { onHeader: (header) => heads.push(header) });
        const reading = (async () => {
          for await (const _response of responses) received++;
        })();
        await assertStatus(reading, Code.ResourceExhausted, "stop");
        assert.equal(received, count);
        assert.equal(heads.length, count === 0 ? 0 : 1);
      }
    });

    it("of one call is not passed on as the status metadata of another", async (t) => {
      const { client: backend } = await open(t, {
        unary() {
          throw new ConnectError("inner", Code.NotFound, { "x-secret": "of the backend" });
        },
      });
      const { client } = await open(t, { unary: (request) => backend.unary(request) });
      const error = await assertStatus(client.unary({}), Code.NotFound, "inner");
      assert.equal(error.metadata.get("x-secret"), null);
    });

    it("of methods that the service does not implement is Unimplemented", async (t) => {
      const { client } = await open(t, { unary: () => ({}) });
      await assertStatus(client.serverStream({}), Code.Unimplemented);
      await assertStatus(client.clientStream(streamOf({})), Code.Unimplemented);
      assert.ok(await client.unary({}));
    });

    const failures: [string, EchoHandlers][] = [
      ["throws at once", { unary: () => assert.fail("a secret") }],
      ["rejects", { unary: async () => assert.fail("a secret") }],
      [
        "throws what is no Error",
        {
          unary() {
            throw "a secret";
          },
        },
      ],
      [
        "throws undefined",
        {
          unary() {
            throw undefined;
          },
        },
      ],
      ["answers with nothing", { unary: (() => undefined) as never }],
      ["answers with something else", { unary: (() => ({ count: "many" })) as never }],
    ];
    for (const [name, handlers] of failures) {
      it(`of a handler that ${name} is Internal without a word of the cause, which is logged`, async (t) => {
        const { client, logged } = await open(t, handlers);
        const error = await assertStatus(client.unary({}), Code.Internal);
        assert.doesNotMatch(`${error.rawMessage} ${JSON.stringify([...error.metadata])}`, /secret|status\.test/);
        assert.equal(
          logged.filter((line) => line.level === "error").length,
          name === "answers with something else" ? 0 : 1,
        );
        // The server lives on.
        await assertStatus(client.unary({}), Code.Internal);
      });
    }

    it("of a generator that throws comes after what it had sent, and the cause is logged", async (t) => {
      const cause = new Error("a secret");
      const { client, logged } = await open(t, {
        async *serverStream() {
          yield {};
          throw cause;
        },
        async *bidi(requests) {
          for await (const _request of requests) yield {};
          throw cause;
        },
      });
      await assertStatus(client.serverStream({}), Code.Internal, "internal error");
      await assertStatus(client.bidi(streamOf({})), Code.Internal, "internal error");
      assert.deepEqual(
        logged.map((line) => [line.message, line.fields.error, line.fields.path]),
        [
          ["a handler failed", cause, "/tercel.grpc.test.v1.EchoService/ServerStream"],
          ["a handler failed", cause, "/tercel.grpc.test.v1.EchoService/Bidi"],
        ],
      );
    });
  });
});
