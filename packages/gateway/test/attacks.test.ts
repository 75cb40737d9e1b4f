import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { Library } from "./gen/tercel/gateway/test/v1/library_pb.ts";
import { type RunningLibrary, startLibrary } from "./support/library.ts";
import { readUntil, sendRaw, statusOf } from "./support/raw-http.ts";

const quiet = { log: { debug() {}, info() {}, warn() {}, error() {} } };

describe("attacks over HTTP/1.1", () => {
  let library: RunningLibrary;
  const fallbacks: string[] = [];
  before(async () => {
    library = await startLibrary(
      Library,
      {
        fallback: (request) => {
          fallbacks.push(new URL(request.url).pathname);
          return new Response("fallback");
        },
      },
      quiet,
    );
  });
  after(() => library.server.close({ deadlineMs: 0 }));

  const body = '{"title":"a"}';
  const post = "POST /v1/shelves/7/books HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n";
  const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;

  describe("request smuggling", () => {
    for (const [title, request] of [
      ["two lengths", `${post}content-length: 13\r\ncontent-length: 14\r\n\r\n${body}`],
      ["the same length twice", `${post}content-length: 13\r\ncontent-length: 13\r\n\r\n${body}`],
      ["a length and a coding", `${post}content-length: 13\r\ntransfer-encoding: chunked\r\n\r\n${chunked}`],
      ["two codings", `${post}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n${chunked}`],
      ["a coding before chunked", `${post}transfer-encoding: gzip, chunked\r\n\r\n${chunked}`],
      ["an unknown coding", `${post}transfer-encoding: xchunked\r\n\r\n${chunked}`],
      ["a coding in HTTP/1.0", `${post.replace("HTTP/1.1", "HTTP/1.0")}transfer-encoding: chunked\r\n\r\n${chunked}`],
      ["a folded line", `${post}x-a: b\r\n c\r\ncontent-length: 13\r\n\r\n${body}`],
      ["lines that end without CR", `${post.replaceAll("\r\n", "\n")}content-length: 13\n\n${body}`],
      ["a blank before the colon", `${post}content-length : 13\r\n\r\n${body}`],
      ["a length that is no number", `${post}content-length: +13\r\n\r\n${body}`],
      ["a chunk size that is no number", `${post}transfer-encoding: chunked\r\n\r\nxyz\r\n${body}\r\n0\r\n\r\n`],
      ["two hosts", `${post}host: b\r\ncontent-length: 13\r\n\r\n${body}`],
      [
        "no host",
        `POST /v1/shelves/7/books HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: 13\r\n\r\n${body}`,
      ],
    ] as const) {
      it(`is refused and closes the connection: ${title}`, async () => {
        const before = library.state.requests.length;
        // A second request, to which a server that continued reading would respond.
        const response = await sendRaw(
          library.port,
          `${request}GET /v1/books:watch?count=1 HTTP/1.1\r\nhost: a\r\n\r\n`,
        );
        assert.ok([0, 400].includes(statusOf(response)), response);
        assert.equal(response.match(/HTTP\/1\.1 /g)?.length ?? 0, statusOf(response) === 0 ? 0 : 1);
        assert.equal(library.state.requests.length, before);
      });
    }

    it("does not affect similar requests that are valid", async () => {
      for (const request of [
        `${post}content-length: 13\r\n\r\n${body}`,
        `${post}transfer-encoding: chunked\r\n\r\n${chunked}`,
      ]) {
        const response = await sendRaw(
          library.port,
          `${request}GET /v1/tags HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`,
        );
        assert.match(response, /^HTTP\/1\.1 200[\s\S]*HTTP\/1\.1 405/);
      }
    });
  });

  describe("path spelling", () => {
    for (const path of ["/v1/../admin", "/v1/%2e%2e/admin", "/v1/.%2E/admin", "/./v1", "/v1/books/%2e"]) {
      it(`is refused, not normalized: ${path}`, async () => {
        const before = fallbacks.length;
        const response = await sendRaw(library.port, `GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
        assert.equal(statusOf(response), 400);
        assert.equal(fallbacks.length, before);
      });
    }

    for (const path of ["/v1/books/a%00b", "/v1/books/%ff", "/v1/books/%zz", "http://a/v1/books/x", "v1/books/x"]) {
      it(`is refused: ${path}`, async () => {
        const response = await sendRaw(library.port, `GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
        assert.equal(statusOf(response), 400);
      });
    }

    it("is unambiguous: an escaped slash does not end a segment, and a backslash is data", async () => {
      const seen = async (path: string) => {
        await sendRaw(library.port, `GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
        return (library.state.requests.at(-1) as { name: string }).name;
      };
      assert.equal(await seen("/v1/books/a%2Fb"), "a/b");
      assert.equal(await seen("/v1/books/a\\b"), "a\\b");
      assert.equal(await seen("/v1/books/..a"), "..a");
    });

    it("a header that names another method has no effect", async () => {
      const response = await sendRaw(
        library.port,
        "GET /v1/shelves/7/books/1 HTTP/1.1\r\nhost: a\r\nx-http-method-override: DELETE\r\nconnection: close\r\n\r\n",
      );
      assert.equal(statusOf(response), 200);
      assert.equal(library.state.books.has("shelves/7/books/1"), true);
    });
  });

  it("a head over its limits is refused, with 431 for fields and 414 for the target", async () => {
    const request = (target: string, fields: string) =>
      `GET ${target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n${fields}\r\n`;
    const status = async (target: string, fields: string) =>
      statusOf(await sendRaw(library.port, request(target, fields)));
    const many = (count: number) => Array.from({ length: count }, (_, at) => `x-${at}: 1\r\n`).join("");
    assert.equal(await status("/v1/books/x", many(98)), 404);
    assert.equal(await status("/v1/books/x", many(99)), 431);
    assert.equal(await status("/v1/books/x", `x-a: ${"a".repeat(17_000)}\r\n`), 431);
    assert.equal(await status(`/v1/books/${"a".repeat(8192 - 10)}`, ""), 404);
    assert.equal(await status(`/v1/books/${"a".repeat(8193 - 10)}`, ""), 414);
  });

  it("an unknown method gets an HTTP error, also as the first request of a connection", async () => {
    const status = async (method: string, path: string) =>
      statusOf(await sendRaw(library.port, `${method} ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`));
    assert.equal(await status("REPORT", "/v1/echo"), 200);
    assert.equal(await status("PROPFIND", "/v1/echo"), 405);
    for (const method of ["FETCH", "get", "PRIX", "M".repeat(32)]) {
      assert.equal(await status(method, "/v1/echo"), 501, method);
    }
    // An invalid request line has no HTTP version.
    for (const method of ["G(T", "M".repeat(33), "PRI"]) assert.equal(await status(method, "/v1/echo"), 0, method);
  });

  it("header values with line breaks cannot be sent", async () => {
    const response = await fetch(`${library.url}/v1/file`, {
      method: "PUT",
      headers: { "content-type": "text/plain;a=\u00e9" },
      body: "x",
    });
    assert.equal(response.headers.get("content-type"), "application/octet-stream");
  });

  it("pipelined requests are served one after another, in order", async () => {
    const one = (status: number) =>
      `GET /v1/shelves/7/books/${status === 200 ? 1 : "none"} HTTP/1.1\r\nhost: a\r\n\r\n`;
    const last = one(200).replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n");
    const answered = await sendRaw(library.port, (one(200) + one(404)).repeat(50) + last);
    const statuses = answered.match(/(?<=HTTP\/1\.1 )\d{3}/g);
    assert.deepEqual(statuses, [...Array.from({ length: 50 }, () => ["200", "404"]).flat(), "200"]);
  });

  it("requests after one that does not end are not started", async () => {
    const endless = "GET /v1/books:watch?count=2000000000 HTTP/1.1\r\nhost: a\r\n\r\n";
    const one = "GET /v1/shelves/7/books/1 HTTP/1.1\r\nhost: a\r\n\r\n";
    const socket = connect(library.port, "127.0.0.1");
    await once(socket, "connect");
    socket.on("error", () => {});
    socket.resume();
    const { started } = library.server.calls;
    socket.write(endless + one.repeat(1000));
    while (library.server.calls.started === started) await new Promise((resolve) => setImmediate(resolve));
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(library.server.calls.started, started + 1);
    socket.destroy();
    while (library.server.openCalls > 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(library.server.calls.started, started + 1);
  });

  it("bytes that are not HTTP do not affect other connections", async () => {
    for (const greeting of [
      "GET\r\n\r\n",
      "POST / HTTP/9.9\r\n\r\n",
      "GET / HTTP/1.1\r\n\0: a\r\n\r\n",
      `${"A".repeat(3)} / HTTP/1.1\r\n`,
    ]) {
      const socket = connect(library.port, "127.0.0.1");
      await once(socket, "connect");
      socket.end(greeting, "latin1");
      await readUntil(socket);
    }
    assert.equal((await fetch(`${library.url}/v1/shelves/7/books/1`)).status, 200);
  });

  it("a client that disconnects within a body leaves nothing behind", async () => {
    const socket = connect(library.port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(`${post}content-length: 1000\r\n\r\n{"tit`);
    const { started } = library.server.calls;
    while (library.server.calls.started === started) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(library.server.openCalls, 1);
    socket.destroy();
    while (library.server.openCalls > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it("a client that does not read a stream blocks the handler without using memory", async () => {
    const socket = connect(library.port, "127.0.0.1");
    await once(socket, "connect");
    socket.pause();
    socket.write("GET /v1/books:watch?count=2000000000 HTTP/1.1\r\nhost: a\r\n\r\n");
    const { started } = library.server.calls;
    while (library.server.calls.started === started) await new Promise((resolve) => setImmediate(resolve));
    // Far less than the whole stream: the handler waits when the buffers are full.
    let before = -1;
    while (process.memoryUsage().arrayBuffers !== before) {
      before = process.memoryUsage().arrayBuffers;
      for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(library.server.openCalls, 1);
    assert.ok(before < 64 * 1024 * 1024, `${before} bytes`);
    socket.destroy();
    while (library.server.openCalls > 0) await new Promise((resolve) => setImmediate(resolve));
  });
});
