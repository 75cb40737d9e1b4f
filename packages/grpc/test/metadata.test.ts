import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError, decodeBinaryHeader, encodeBinaryHeader, type HandlerContext } from "@connectrpc/connect";
import { assertStatus } from "@tercel/grpc/testing";
import { collect } from "@tercel/test-support/async";
import { overBothTransports } from "./support/open-echo.ts";

describe("metadata", () => {
  overBothTransports((open) => {
    it("reaches the handler, with a name's values joined in order", async (t) => {
      let seen = new Headers();
      const { client } = await open(t, {
        unary(_request, context) {
          seen = context.requestHeader;
          return {};
        },
      });
      const headers = new Headers({ "X-Upper": "Kept As It Is", "x-empty": "" });
      headers.append("x-twice", "one");
      headers.append("x-twice", "two");
      await client.unary({}, { headers });
      assert.equal(seen.get("x-upper"), "Kept As It Is");
      assert.equal(seen.get("x-twice"), "one, two");
      assert.equal(seen.get("x-empty"), "");
    });

    it("keeps values of one name apart when they are given as a list", async (t) => {
      let seen: string | null = null;
      const { client } = await open(t, {
        unary(_request, context) {
          seen = context.requestHeader.get("x-list");
          return {};
        },
      });
      await client.unary(
        {},
        {
          headers: [
            ["x-list", "a"],
            ["x-list", "b"],
          ],
        },
      );
      assert.equal(seen, "a, b");
    });

    it("carries bytes in names that end in -bin, both ways", async (t) => {
      const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
      const { client } = await open(t, {
        unary(_request, context) {
          const got = decodeBinaryHeader(context.requestHeader.get("bytes-bin") ?? "");
          context.responseHeader.set("head-bin", encodeBinaryHeader(got));
          context.responseTrailer.set("trail-bin", encodeBinaryHeader(got.toReversed()));
          return {};
        },
      });
      let header = new Headers();
      let trailer = new Headers();
      await client.unary(
        {},
        {
          headers: { "bytes-bin": encodeBinaryHeader(bytes) },
          onHeader: (given) => (header = given),
          onTrailer: (given) => (trailer = given),
        },
      );
      assert.deepEqual(decodeBinaryHeader(header.get("head-bin") ?? ""), bytes);
      assert.deepEqual(decodeBinaryHeader(trailer.get("trail-bin") ?? ""), bytes.toReversed());
    });

    it("brings response header and trailer of a streaming call, the header before the first message", async (t) => {
      const { client } = await open(t, {
        async *serverStream(_request, context) {
          context.responseHeader.append("x-head", "1");
          context.responseHeader.append("x-head", "2");
          yield {};
          context.responseTrailer.set("x-trail", "end");
        },
      });
      const events: string[] = [];
      const responses = client.serverStream(
        {},
        {
          onHeader: (header) => events.push(`header ${header.get("x-head")}`),
          onTrailer: (trailer) => events.push(`trailer ${trailer.get("x-trail")}`),
        },
      );
      for await (const _response of responses) events.push("message");
      assert.deepEqual(events, ["header 1, 2", "message", "trailer end"]);
    });

    it("brings the header of a call that streams no message", async (t) => {
      const { client } = await open(t, {
        async *serverStream(_request, context) {
          context.responseHeader.set("x-head", "alone");
          yield* [];
        },
      });
      let seen: string | null = null;
      await collect(client.serverStream({}, { onHeader: (header) => (seen = header.get("x-head")) }));
      assert.equal(seen, "alone");
    });

    it("comes with an error as the error's metadata, set by the handler or by the error", async (t) => {
      const { client } = await open(t, {
        unary(_request, context) {
          context.responseHeader.set("x-head", "h");
          context.responseTrailer.set("x-trail", "t");
          throw new ConnectError("no", Code.Aborted, { "x-error": "e" });
        },
      });
      const error = await assertStatus(client.unary({}), Code.Aborted, "no");
      assert.deepEqual(
        ["x-head", "x-trail", "x-error"].map((name) => error.metadata.get(name)),
        ["h", "t", "e"],
      );
    });

    it("drops the names that belong to gRPC and HTTP/2, both ways, and keeps the rest", async (t) => {
      const reserved = ["grpc-status", "grpc-foo", "te", "content-type", "connection", "content-length", "host"];
      let seen = new Headers();
      const { client } = await open(t, {
        unary(_request, context) {
          seen = context.requestHeader;
          for (const name of reserved) {
            context.responseHeader.set(name, "7");
            context.responseTrailer.set(name, "7");
          }
          context.responseHeader.set("x-mine", "kept");
          return { text: "ok" };
        },
      });
      const headers = new Headers({ "x-mine": "kept" });
      for (const name of reserved) headers.set(name, "7");
      let header = new Headers();
      let trailer = new Headers();
      const response = await client.unary(
        {},
        { headers, onHeader: (given) => (header = given), onTrailer: (given) => (trailer = given) },
      );
      assert.equal(response.text, "ok");
      assert.equal(seen.get("content-type"), "application/grpc+proto");
      for (const given of [seen, header]) assert.equal(given.get("x-mine"), "kept");
      for (const given of [seen, header, trailer]) {
        for (const name of reserved) assert.notEqual(given.get(name), "7", name);
      }
    });

    it("refuses a request value beyond printable ASCII before anything is sent", async (t) => {
      let calls = 0;
      const { client } = await open(t, {
        unary() {
          calls++;
          return {};
        },
      });
      await assertStatus(client.unary({}, { headers: { "x-bad": "é" } }), Code.Internal, /x-bad/);
      await assertStatus(client.unary({}, { headers: { "x-bad-bin": "!!" } }), Code.Internal, /x-bad-bin/);
      assert.equal(calls, 0);
    });

    it("does not let an illegal value of the handler's stand in the way of the answer", async (t) => {
      const { client, logged } = await open(t, {
        unary(_request, context) {
          context.responseHeader.set("x-bad", "é");
          context.responseTrailer.set("x-worse", "ü");
          context.responseTrailer.set("x-good", "kept");
          return { text: "ok" };
        },
      });
      let trailer = new Headers();
      const response = await client.unary({}, { onTrailer: (given) => (trailer = given) });
      assert.equal(response.text, "ok");
      assert.equal(trailer.get("x-good"), "kept");
      assert.equal(trailer.get("x-worse"), null);
      assert.deepEqual(
        logged.map((line) => [line.level, line.message]),
        [
          ["warn", "response metadata was left out"],
          ["debug", "metadata was dropped"],
        ],
      );
    });

    it("tells the handler who calls: service, method, URL and user agent", async (t) => {
      let seen: HandlerContext | undefined;
      const { client } = await open(
        t,
        {
          unary(_request, context) {
            seen = context;
            return {};
          },
        },
        { channel: { userAgentPrefix: "shop/1.0", authority: "echo.example" } },
      );
      await client.unary({});
      assert.equal(seen?.service.typeName, "tercel.grpc.test.v1.EchoService");
      assert.equal(seen?.method.name, "Unary");
      assert.equal(seen?.url, "http://echo.example/tercel.grpc.test.v1.EchoService/Unary");
      assert.match(seen?.requestHeader.get("user-agent") ?? "", /^shop\/1\.0 \S+$/);
      assert.equal(seen?.protocolName, "grpc");
    });

    it("carries 100 entries, and refuses what is over the server's limit without harm to other calls", async (t) => {
      const { client } = await open(
        t,
        { unary: (_request, context) => ({ count: [...context.requestHeader.keys()].length }) },
        { server: { maxMetadataBytes: 8192 } },
      );
      const some = new Headers();
      for (let at = 0; at < 100; at++) some.set(`x-${at}`, "v");
      assert.ok((await client.unary({}, { headers: some })).count >= 100);
      await assertStatus(
        client.unary({}, { headers: { "x-large": "v".repeat(8192) } }),
        Code.ResourceExhausted,
        /^the request headers take \d+ bytes, and the server accepts 8192 at most/,
      );
      assert.ok((await client.unary({}, { headers: some })).count >= 100);
    });
  });
});
