// S6: a connection's stream identifiers are used up long before a service's life is over.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createClient } from "@connectrpc/connect";
import { createChannel, createServer } from "@tercel/grpc";
import { createFaultProxy } from "@tercel/http2/testing";
import { EchoService } from "../gen/tercel/grpc/test/v1/echo_pb.ts";
import { echoRoutes } from "../support/open-echo.ts";

describe("a channel whose connection has used up its stream identifiers", () => {
  for (const atOnce of [1, 20]) {
    it(`goes on with another, and loses no call, with ${atOnce} at once`, async (t) => {
      const served = new Map<string, number>();
      const server = createServer({
        routes: echoRoutes({
          unary({ text }) {
            served.set(text, (served.get(text) ?? 0) + 1);
            return { text };
          },
        }),
      });
      const proxy = await createFaultProxy({
        target: { host: "127.0.0.1", port: (await server.listen({ port: 0 })).port },
      });
      // 100 identifiers: 1, 3 … 199.
      const channel = createChannel(`127.0.0.1:${proxy.address.port}`, { limits: { streams: { maxId: 199 } } });
      t.after(async () => {
        await channel.close();
        await server.close();
        await proxy.close();
      });
      const client = createClient(EchoService, channel);
      const caller = async (name: number): Promise<void> => {
        for (let at = 0; at < 1000 / atOnce; at++) {
          const text = `${name}/${at}`;
          assert.equal((await client.unary({ text })).text, text);
        }
      };
      await Promise.all(Array.from({ length: atOnce }, (_, name) => caller(name)));
      assert.deepEqual([served.size, new Set(served.values())], [1000, new Set([1])]);
      assert.equal(proxy.accepted, 10);
    });
  }
});
