import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Code, type ConnectError, createClient, type Interceptor, type Transport } from "@connectrpc/connect";

import { createTransport as createConnectTransport } from "@connectrpc/connect/protocol-connect";
import { createTransport as createGrpcWebTransport } from "@connectrpc/connect/protocol-grpc-web";
import { callInfo } from "@tercel/grpc";
import { readRetryAfterMs } from "@tercel/grpc/errors";
import { Library } from "./gen/tercel/gateway/test/v1/library_pb.ts";
import { fetchClient } from "./support/fetch-client.ts";
import { type RunningLibrary, startLibrary } from "./support/library.ts";

interface SeenCall {
  readonly protocol: string;
  readonly method: string;
  readonly peer: string | undefined;
  readonly stream: boolean;
}

describe("Connect clients", () => {
  let library: RunningLibrary;
  const seen: SeenCall[] = [];
  const record: Interceptor = (next) => (request) => {
    const info = request.contextValues.get(callInfo);
    const { protocolName = "" } = info as unknown as { protocolName?: string };
    seen.push({ protocol: protocolName, method: request.method.name, peer: info?.peerAddress, stream: request.stream });
    return next(request);
  };

  before(async () => {
    library = await startLibrary(Library, {}, { interceptors: [record], compressMinBytes: 0 });
  });
  after(() => library.server.close({ deadlineMs: 0 }));

  const options = (useBinaryFormat: boolean) => ({
    ...{ baseUrl: library.url, useBinaryFormat, interceptors: [], acceptCompression: [], sendCompression: null },
    ...{ compressMinBytes: 1024, readMaxBytes: 0xffff_ffff, writeMaxBytes: 0xffff_ffff },
    httpClient: fetchClient,
  });

  const transports: [string, string, () => Transport][] = [
    ["Connect, binary", "connect", () => createConnectTransport(options(true))],
    ["Connect, JSON", "connect", () => createConnectTransport(options(false))],
    ["Connect, GET", "connect", () => createConnectTransport({ ...options(true), useHttpGet: true })],
    ["gRPC-Web, binary", "grpc-web", () => createGrpcWebTransport(options(true))],
    ["gRPC-Web, JSON", "grpc-web", () => createGrpcWebTransport(options(false))],
  ];
  for (const [title, protocol, makeTransport] of transports) {
    describe(title, () => {
      it("call a unary method, with headers and trailers", async () => {
        const client = createClient(Library, makeTransport());
        let header: Headers | undefined;
        let trailer: Headers | undefined;
        const book = await client.getBook(
          { name: "shelves/7/books/1" },
          {
            onHeader: (headers) => {
              header = headers;
            },
            onTrailer: (trailers) => {
              trailer = trailers;
            },
          },
        );
        assert.equal(book.title, "Flatland");
        assert.equal(header?.get("x-served-by"), "library");
        assert.equal(trailer?.get("x-cost"), "3");
        const call = seen.at(-1);
        assert.deepEqual([call?.protocol, call?.method, call?.stream], [protocol, "GetBook", false]);
        assert.match(call?.peer ?? "", /^127\.0\.0\.1:\d+$/);
      });

      it("read errors with their details", async () => {
        const client = createClient(Library, makeTransport());
        await assert.rejects(client.getBook({ name: "none" }), (error: ConnectError) => {
          assert.equal(error.code, Code.NotFound);
          assert.equal(error.rawMessage, "none was not found");
          assert.equal(error.details.length, 1);
          return true;
        });
      });

      it("read a server stream, and the error at its end", async () => {
        const client = createClient(Library, makeTransport());
        const titles: string[] = [];
        for await (const { book } of client.watchBooks({ count: 3 })) titles.push(book?.title ?? "");
        assert.deepEqual(titles, ["Volume 1", "Volume 2", "Volume 3"]);
        const failing = async () => {
          for await (const _ of client.watchBooks({ count: 3, failAfter: 1 }));
        };
        await assert.rejects(failing, (error: ConnectError) => {
          assert.equal(error.code, Code.Unavailable);
          assert.equal(readRetryAfterMs(error), 1500);
          return true;
        });
      });

      it("send a client stream", async () => {
        const client = createClient(Library, makeTransport());
        async function* requests() {
          yield { shelf: "1" };
          yield { shelf: "2" };
        }
        assert.equal((await client.importBooks(requests())).count, 2);
      });

      it("send a timeout that ends the call", async () => {
        const client = createClient(Library, makeTransport());
        const endless = async () => {
          async function* requests() {
            await new Promise(() => {});
            yield {};
          }
          await client.importBooks(requests(), { timeoutMs: 30 });
        };
        await assert.rejects(endless, { code: Code.DeadlineExceeded });
      });
    });
  }

  it("get UNIMPLEMENTED for an unknown method", async () => {
    const response = await fetch(`${library.url}/tercel.gateway.test.v1.Library/Nothing`, {
      method: "POST",
      headers: { "content-type": "application/grpc-web+proto" },
      body: new Uint8Array(5),
    });
    assert.equal(response.status, 200);
    assert.match(Buffer.from(await response.arrayBuffer()).toString("latin1"), /grpc-status: 12\r\n/);
    const connect = await fetch(`${library.url}/tercel.gateway.test.v1.Library/Nothing`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    assert.equal(connect.status, 404);
    assert.equal(((await connect.json()) as { code: string }).code, "unimplemented");
  });

  it("are counted as calls of the server", () => {
    const { started, succeeded, failed } = library.server.calls;
    assert.ok(started > 0);
    assert.equal(started, succeeded + failed);
    assert.equal(library.server.openCalls, 0);
  });
});

describe("gRPC-Web text", () => {
  let library: RunningLibrary;
  before(async () => {
    library = await startLibrary(Library);
  });
  after(() => library.server.close({ deadlineMs: 0 }));

  const call = async (body: string) => {
    const response = await fetch(`${library.url}/tercel.gateway.test.v1.Library/GetBook`, {
      method: "POST",
      headers: { "content-type": "application/grpc-web-text+proto" },
      body,
    });
    const text = await response.text();
    return { type: response.headers.get("content-type"), text };
  };
  const message = Buffer.concat([Buffer.from([0, 0, 0, 0, 19, 10, 17]), Buffer.from("shelves/7/books/1")]);

  it("is base64 in both directions, each piece with its own padding", async () => {
    // A piece of one byte with padding, then the rest.
    const body = message.subarray(0, 1).toString("base64") + message.subarray(1).toString("base64");
    for (const sent of [message.toString("base64"), body]) {
      const { type, text } = await call(sent);
      assert.equal(type, "application/grpc-web-text+proto");
      const pieces = text.match(/[^=]+=*/g) ?? [];
      const bytes = Buffer.concat(pieces.map((piece) => Buffer.from(piece, "base64")));
      assert.match(bytes.toString("latin1"), /Flatland[\s\S]*grpc-status: 0\r\n/);
    }
  });

  it("is refused if it is not base64", async () => {
    for (const sent of ["****", "AAA"]) {
      const bytes = Buffer.from((await call(sent)).text, "base64").toString("latin1");
      assert.match(bytes, /grpc-status: 3\r\n/);
    }
  });
});

describe("a full-duplex stream over HTTP/1.1", () => {
  it("gets responses while it sends requests, if the client supports it", async () => {
    const library = await startLibrary(Library);
    try {
      const client = createClient(
        Library,
        createConnectTransport({
          ...{ baseUrl: library.url, useBinaryFormat: true, interceptors: [], acceptCompression: [] },
          ...{ sendCompression: null, compressMinBytes: 0, readMaxBytes: 0xffff_ffff, writeMaxBytes: 0xffff_ffff },
          httpClient: fetchClient,
        }),
      );
      async function* requests() {
        yield { text: "a" };
        yield { text: "b" };
      }
      const texts: string[] = [];
      for await (const { text } of client.chat(requests())) texts.push(text);
      assert.deepEqual(texts, ["a", "b"]);
    } finally {
      await library.server.close({ deadlineMs: 0 });
    }
  });
});
