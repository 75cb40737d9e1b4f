// Handlers return messages, or the plain objects that messages are made from; these are written without making the messages where no one looks at them.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { createHookedInterceptor } from "@tercel/grpc/hooks";
import { collect } from "@tercel/test-support/async";
import { EchoResponseSchema } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { overBothTransports } from "./support/open-echo.ts";

const payload = Uint8Array.of(1, 2, 3);

describe("a handler's plain object", () => {
  overBothTransports((open) => {
    const seen: string[] = [];
    const see = (message: unknown): void => void seen.push((message as { $typeName: string }).$typeName);
    const interceptor: Interceptor = (next) => async (request) => {
      const response = await next(request);
      if (!response.stream) see(response.message);
      return response;
    };
    const stacks: readonly (readonly [name: string, interceptors: Interceptor[], sees: number])[] = [
      ["no interceptors", [], 0],
      ["a hook that does not look at responses", [createHookedInterceptor({ onEnd() {} })], 0],
      [
        "a hook that looks at responses",
        [createHookedInterceptor({ onResponse: (_call, _state, message) => see(message) })],
        3,
      ],
      ["a hook that counts responses", [createHookedInterceptor({ readsResponses: false, onResponse() {} })], 0],
      ["an interceptor", [interceptor], 1],
    ];
    for (const [name, interceptors, sees] of stacks) {
      for (const format of ["proto", "json"] as const) {
        it(`arrives as the message that it is for, behind ${name}, in ${format}`, async (t) => {
          seen.length = 0;
          const handlers = {
            unary: () => ({ text: "a", payload }),
            async *serverStream() {
              yield { text: "a", payload };
              yield create(EchoResponseSchema, { count: 5 });
            },
          };
          const { client } = await open(t, handlers, { server: { interceptors }, channel: { format } });
          const expected = create(EchoResponseSchema, { text: "a", payload });
          assert.deepEqual(await client.unary({}), expected);
          assert.deepEqual(await collect(client.serverStream({})), [
            expected,
            create(EchoResponseSchema, { count: 5 }),
          ]);
          assert.deepEqual(seen, new Array(sees).fill(EchoResponseSchema.typeName));
        });
      }
    }

    it("is INTERNAL with the field's name in the server's log where a value does not fit", async (t) => {
      const handlers = { unary: () => ({ text: "a", count: "many" as unknown as number }) };
      const { client } = await open(t, handlers);
      const error = await client.unary({}).catch(ConnectError.from);
      assert.ok(error instanceof ConnectError);
      assert.equal(error.code, Code.Internal);
      assert.match(error.rawMessage, /EchoResponse.*count/);
    });

    it("is what it was when it was returned, whatever becomes of it", async (t) => {
      const shared = { text: "first", payload };
      const handlers = {
        async *serverStream() {
          yield shared;
          shared.text = "second";
          yield shared;
          shared.text = "third";
        },
      };
      const { client } = await open(t, handlers);
      const texts = (await collect(client.serverStream({}))).map(({ text }) => text);
      assert.deepEqual(texts, ["first", "second"]);
    });
  });
});
