import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { createContextValues, type ServiceImpl } from "@connectrpc/connect";
import { createGateway, setHttpStatus } from "@tercel/gateway";
import { createServer } from "@tercel/grpc";
import { Library } from "./gen/tercel/gateway/test/v1/library_pb.ts";
import { createLibrary, createLibraryState, type RunningLibrary, startLibrary } from "./support/library.ts";
import { readUntil, sendRaw, statusOf } from "./support/raw-http.ts";

const json = { "content-type": "application/json" };
const quiet = { log: { debug() {}, info() {}, warn() {}, error() {} } };

interface ErrorJson {
  readonly error: {
    code: number;
    message: string;
    status: string;
    details: { "@type": string; reason?: string; domain?: string }[];
  };
}

describe("REST", () => {
  let library: RunningLibrary;
  before(async () => {
    library = await startLibrary(
      Library,
      {
        methods: [{ of: "tercel.gateway.test.v1.Library/CreateBook", successStatus: 201 }],
        errorDomain: "library.example",
        fallback: (request) => new Response(`fallback ${new URL(request.url).pathname}`),
      },
      { ...quiet, maxReceiveMessageBytes: 2000 },
    );
  });
  after(() => library.server.close({ deadlineMs: 0 }));

  const get = (path: string, init: RequestInit = {}) => fetch(`${library.url}${path}`, init);
  const post = (path: string, body: string, headers: Record<string, string> = json) =>
    get(path, { method: "POST", body, headers });

  it("calls a method, and returns its headers and trailers as headers", async () => {
    const response = await get("/v1/shelves/7/books/1");
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "application/json");
    assert.equal(response.headers.get("x-served-by"), "library");
    assert.equal(response.headers.get("x-cost"), "3");
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
    assert.equal(((await response.json()) as { pageCount: string }).pageCount, "96");
  });

  it("answers with the status that a method has, or that its handler sets", async () => {
    assert.equal((await post("/v1/shelves/9/books", '{"title":"a"}')).status, 201);
    assert.throws(() => setHttpStatus({ values: createContextValues() }, 400), RangeError);
  });

  it("answers errors as AIP-193 has them, with a reason for those of its own", async () => {
    const missing = await get("/v1/shelves/7/books/none");
    assert.equal(missing.status, 404);
    assert.equal(missing.headers.get("cache-control"), "no-store");
    const { error } = (await missing.json()) as ErrorJson;
    assert.deepEqual(
      [error.code, error.status, error.message],
      [404, "NOT_FOUND", "shelves/7/books/none was not found"],
    );
    assert.equal(error.details[0]?.["@type"], "type.googleapis.com/google.rpc.ResourceInfo");
    const unknown = (await (await get("/v1/shelves/7/books?pagesize=3")).json()) as ErrorJson;
    const info = unknown.error.details.find((detail) => detail["@type"].endsWith("ErrorInfo"));
    assert.deepEqual([info?.reason, info?.domain], ["UNKNOWN_QUERY_PARAMETER", "library.example"]);
  });

  it("says when to come again", async () => {
    const response = await get("/v1/books:watch?count=2&fail_after=-1");
    assert.equal(response.status, 503);
    assert.equal(response.headers.get("retry-after"), "2");
  });

  it("answers 404 with the fallback, and 405 with what the path has", async () => {
    assert.equal(await (await get("/v2/nothing")).text(), "fallback /v2/nothing");
    const response = await get("/v1/shelves/7/books", { method: "PUT" });
    assert.equal(response.status, 405);
    assert.equal(response.headers.get("allow"), "GET, POST, HEAD, OPTIONS");
    const options = await get("/v1/shelves/7/books", { method: "OPTIONS" });
    assert.equal(options.status, 204);
    assert.equal(options.headers.get("allow"), "GET, POST, HEAD, OPTIONS");
    assert.equal(options.headers.get("access-control-allow-origin"), null);
  });

  it("never hands a path of a service to the fallback", async () => {
    const service = "tercel.gateway.test.v1.Library";
    for (const path of [
      `/${service}/Nothing`,
      `/${service}`,
      `/${service}/`,
      `/${service}/GetBook/more`,
      `//${service}/GetBook`,
    ]) {
      const response = await get(path);
      assert.ok(!(await response.text()).startsWith("fallback"), path);
    }
    const encoded = await get("/tercel.gateway.test.v1.Librar%79/GetBook");
    assert.equal(encoded.status, 404);
    assert.equal(await (await get(`/x/${service}/GetBook`)).text(), `fallback /x/${service}/GetBook`);
  });

  it("answers 406 to a client that takes no JSON", async () => {
    assert.equal((await get("/v1/shelves/7/books/1", { headers: { accept: "text/html" } })).status, 406);
    assert.equal((await get("/v1/shelves/7/books/1", { headers: { accept: "text/html, */*;q=0.1" } })).status, 200);
    assert.equal((await get("/v1/books:watch?count=1", { headers: { accept: "text/html" } })).status, 406);
  });

  it("answers 413 to a body over the limit, by its length or as it comes", async () => {
    const body = JSON.stringify({ title: "a".repeat(2000) });
    assert.equal((await post("/v1/shelves/7/books", body)).status, 413);
    const chunked = ReadableStream.from([Buffer.from(body)]);
    const init = { method: "POST", headers: json, body: chunked, duplex: "half" } as const;
    assert.equal((await get("/v1/shelves/7/books", init)).status, 413);
    const fits = JSON.stringify({ title: "a".repeat(2000 - '{"title":""}'.length) });
    assert.equal(fits.length, 2000);
    assert.equal((await post("/v1/shelves/7/books", fits)).status, 201);
  });

  it("inflates a body up to the limit", async () => {
    const { gzipSync } = await import("node:zlib");
    const send = (length: number) =>
      get("/v1/shelves/7/books", {
        ...{ method: "POST", headers: { ...json, "content-encoding": "gzip" } },
        body: gzipSync(JSON.stringify({ title: "a".repeat(length) })),
      });
    assert.equal((await send(1900)).status, 201);
    assert.equal((await send(1_000_000)).status, 413);
    const broken = await get("/v1/shelves/7/books", {
      ...{ method: "POST", headers: { ...json, "content-encoding": "gzip" }, body: "no gzip" },
    });
    assert.equal(broken.status, 400);
  });

  it("answers 415 to a body that does not say it is JSON, as a form without preflight does not", async () => {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1"]) {
      const response = await post("/v1/shelves/7/books", '{"title":"a"}', { "content-type": type });
      assert.equal(response.status, 415, type);
      assert.equal(response.headers.get("accept"), "application/json, multipart/form-data");
    }
    const requests = library.state.requests.length;
    const bare = await sendRaw(
      library.port,
      "POST /v1/shelves/7/books HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}",
    );
    assert.equal(statusOf(bare), 415);
    assert.equal(library.state.requests.length, requests);
    const coding = await post("/v1/shelves/7/books", "{}", { ...json, "content-encoding": "zstd" });
    assert.equal(coding.status, 415);
    assert.equal(coding.headers.get("accept-encoding"), "br, gzip");
    assert.equal(
      (await post("/v1/shelves/7/books", '{"title":"a"}', { "content-type": 'Application/JSON; charset="UTF-8"' }))
        .status,
      201,
    );
  });

  it("compresses from 1 KiB on with Brotli or gzip, whichever the client prefers, and reads both", async () => {
    const coding = async (length: number, accept: string): Promise<[string | null, number]> => {
      const url = `${library.url}/v1/echo?text=${"a".repeat(length)}`;
      const response = await fetch(url, { headers: { "accept-encoding": accept } });
      // Node's fetch has undone it.
      const { text } = (await response.json()) as { text: string };
      return [response.headers.get("content-encoding"), text.length];
    };
    assert.deepEqual(await coding(2000, "gzip, br"), ["br", 2000]);
    assert.deepEqual(await coding(2000, "gzip, br;q=0.5"), ["gzip", 2000]);
    assert.deepEqual(await coding(2000, "br;q=0"), [null, 2000]);
    assert.deepEqual(await coding(100, "br"), [null, 100]);
    const { brotliCompressSync } = await import("node:zlib");
    const send = (body: string | Uint8Array<ArrayBuffer>) =>
      get("/v1/echo", { method: "POST", headers: { ...json, "content-encoding": "br" }, body });
    const body = (length: number) => brotliCompressSync(JSON.stringify({ text: "a".repeat(length - 11) }));
    assert.equal((await send(body(2000))).status, 200);
    assert.equal((await send(body(2001))).status, 413);
    assert.equal((await send(body(1_000_000))).status, 413);
    assert.equal((await send("no brotli")).status, 400);
    assert.equal((await send(Buffer.concat([body(100), Buffer.from("x")]))).status, 400);
  });

  it("does not compress bytes of a type that is compressed already", async () => {
    const put = async (type: string): Promise<[string | null, string]> => {
      const body = "a".repeat(2000);
      const response = await get("/v1/file", { method: "PUT", headers: { "content-type": type }, body });
      const text = await response.text();
      assert.equal(text, body);
      return [response.headers.get("content-encoding"), response.headers.get("content-type") ?? ""];
    };
    assert.deepEqual(await put("image/png"), [null, "image/png"]);
    assert.deepEqual(await put("text/csv"), ["gzip", "text/csv"]);
    assert.deepEqual(await put("image/svg+xml"), ["gzip", "image/svg+xml"]);
  });

  it("patches with the mask that the body means, as merge patch too", async () => {
    await post("/v1/shelves/5/books", '{"title":"a"}');
    for (const type of ["application/json", "application/merge-patch+json"]) {
      const init = { method: "PATCH", headers: { "content-type": type }, body: '{"author":{"givenName":"Ada"}}' };
      const response = await get("/v1/shelves/7/books/1", init);
      assert.equal(response.status, 200);
      const book = (await response.json()) as { title: string; author: { givenName: string; familyName: string } };
      assert.deepEqual([book.title, book.author], ["Flatland", { givenName: "Ada", familyName: "Abbott" }]);
    }
  });

  it("answers HEAD like GET without a body, and 405 for streams", async () => {
    const head = await get("/v1/shelves/7/books/1", { method: "HEAD" });
    const whole = await get("/v1/shelves/7/books/1");
    assert.equal(head.status, 200);
    assert.equal(head.headers.get("etag"), '"v1"');
    assert.equal(await head.text(), "");
    assert.equal(head.headers.get("content-length"), String((await whole.arrayBuffer()).byteLength));
    assert.equal((await get("/v1/books:watch", { method: "HEAD" })).status, 405);
  });

  it("answers 304 to a client that has the response already", async () => {
    for (const etag of ['"v1"', 'W/"v1"', '"v0", "v1"', "*"]) {
      const response = await get("/v1/shelves/7/books/1", { headers: { "if-none-match": etag } });
      assert.equal(response.status, 304, etag);
    }
    assert.equal((await get("/v1/shelves/7/books/1", { headers: { "if-none-match": '"v0"' } })).status, 200);
  });

  it("sends and takes bytes that are not JSON", async () => {
    const file = await get("/v1/files/a/b%20c.txt");
    assert.deepEqual([file.headers.get("content-type"), await file.text()], ["text/plain", "file a/b c.txt"]);
    const put = await get("/v1/file", {
      method: "PUT",
      headers: { "content-type": "image/x" },
      body: new Uint8Array([1, 2, 255]),
    });
    assert.equal(put.headers.get("content-type"), "image/x");
    assert.deepEqual([...new Uint8Array(await put.arrayBuffer())], [1, 2, 255]);
  });

  it("takes a field of the response, with its default where it is not set", async () => {
    library.state.books.clear();
    assert.equal(await (await get("/v1/shelves/7/books:list")).text(), "[]");
  });

  it("calls by the name of a custom HTTP method", async () => {
    const init = { method: "REPORT" };
    assert.equal((await get("/v1/echo?text=a", init)).status, 200);
  });

  it("writes enums as numbers, and JSON with line breaks, for those who ask", async () => {
    const response = await get("/v1/echo?genre=GENRE_POEM&$alt=json;enum-encoding=int&$prettyPrint=true");
    assert.equal(await response.text(), '{\n  "genre": 2\n}');
  });
});

describe("streams over REST", () => {
  let library: RunningLibrary;
  before(async () => {
    library = await startLibrary(Library, {}, quiet);
  });
  after(() => library.server.close({ deadlineMs: 0 }));
  const watch = (query: string, headers: Record<string, string> = {}) =>
    fetch(`${library.url}/v1/books:watch?${query}`, { headers });

  it("are lines of JSON, the last of which says that it failed", async () => {
    const response = await watch("count=2");
    assert.equal(response.headers.get("content-type"), "application/x-ndjson");
    const lines = (await response.text()).trimEnd().split("\n");
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).result.resumeToken),
      ["1", "2"],
    );
    const failed = (await (await watch("count=3&fail_after=1")).text()).trimEnd().split("\n");
    assert.equal(failed.length, 2);
    assert.equal(JSON.parse(failed[1] as string).error.status, "UNAVAILABLE");
  });

  it("have the status of a failure before their first message", async () => {
    assert.equal((await watch("count=0&fail_after=7")).status, 404);
    assert.equal((await watch("count=0&fail_after=7", { accept: "text/event-stream" })).status, 404);
  });

  it("are server-sent events that continue after the last one seen, until the stream has ended", async () => {
    const events = { accept: "text/event-stream" };
    const first = await watch("count=3&fail_after=2", events);
    assert.equal(first.headers.get("x-accel-buffering"), "no");
    const text = await first.text();
    const ids = [...text.matchAll(/^id: (.*)$/gm)].map((match) => match[1]);
    // A failure that may pass has no id: the browser comes again with the id of the last event.
    assert.deepEqual(ids, ["1", "2"]);
    assert.match(text, /event: status\ndata: \{"code":14,"status":"UNAVAILABLE"/);
    const second = await (await watch("count=2", { ...events, "last-event-id": "2" })).text();
    assert.deepEqual(
      [...second.matchAll(/^id: (.*)$/gm)].map((match) => match[1]),
      ["3", "4", "$end"],
    );
    assert.match(second, /event: status\nid: \$end\ndata: \{"code":0,"status":"OK"\}/);
    assert.equal((await watch("count=2", { ...events, "last-event-id": "$end" })).status, 204);
  });

  it("are an array that is cut off when it fails", async () => {
    const array = { accept: "application/json" };
    assert.deepEqual(JSON.parse(await (await watch("count=2", array)).text()).length, 2);
    assert.equal(await (await watch("count=0", array)).text(), "[]\n");
    await assert.rejects(async () => (await watch("count=3&fail_after=1", array)).text());
  });

  it("of a client are lines of JSON too", async () => {
    const send = (body: string, type = "application/x-ndjson") =>
      fetch(`${library.url}/v1/books:import`, { method: "POST", headers: { "content-type": type }, body });
    assert.deepEqual(await (await send('{"shelf":"1"}\n\n  \r\n{"shelf":"2"}')).json(), { count: 2 });
    assert.deepEqual(await (await send("")).json(), {});
    const wrong = await send('{"shelf":"1"}\n{"shelf":2}\n');
    assert.equal(wrong.status, 400);
    assert.match(((await wrong.json()) as ErrorJson).error.message, /^shelf: /);
    assert.equal((await send("{}", "application/json")).status, 415);
  });

  it("of a client may be longer than what is read ahead, in any pieces", async () => {
    const line = Buffer.from(`${JSON.stringify({ shelf: "x".repeat(100_000) })}\n`);
    async function* pieces() {
      for (let at = 0; at < 20; at++) {
        yield line.subarray(0, 70_001);
        yield line.subarray(70_001);
      }
    }
    const response = await fetch(`${library.url}/v1/books:import`, {
      ...{ method: "POST", headers: { "content-type": "application/x-ndjson" } },
      ...{ body: ReadableStream.from(pieces()), duplex: "half" },
    });
    assert.deepEqual(await response.json(), { count: 20 });
  });
});

describe("a call over REST", () => {
  const running = async (handler: ServiceImpl<typeof Library>["getBook"], options = {}) => {
    const server = createServer({
      routes: (router) => router.service(Library, { ...createLibrary(createLibraryState()), getBook: handler }),
      ...{ gateway: createGateway(), ...quiet, ...options },
    });
    const { port } = await server.listen({ port: 0 });
    return { server, port, url: `http://127.0.0.1:${port}/v1/books/x` };
  };

  it("is cancelled when its client leaves", async () => {
    const entered = Promise.withResolvers<void>();
    const cancelled = Promise.withResolvers<void>();
    const { server, port } = await running((_, { signal }) => {
      entered.resolve();
      signal.addEventListener("abort", () => cancelled.resolve());
      return new Promise(() => {});
    });
    const socket = connect(port, "127.0.0.1");
    socket.write("GET /v1/books/x HTTP/1.1\r\nhost: a\r\n\r\n");
    await entered.promise;
    socket.destroy();
    await cancelled.promise;
    assert.deepEqual([server.calls.failed, server.openCalls], [1, 0]);
    await server.close({ deadlineMs: 0 });
  });

  it("has the shortest of the timeouts that the client and the server name", async () => {
    const remaining: number[] = [];
    const { server, url } = await running((_, context) => {
      remaining.push(context.timeoutMs() ?? Number.POSITIVE_INFINITY);
      return {};
    });
    const headers = [
      { "x-server-timeout": "1.5" },
      { "grpc-timeout": "2S" },
      { "connect-timeout-ms": "2500", "x-server-timeout": "9" },
    ];
    for (const one of [{}, ...headers]) await fetch(url, { headers: one as Record<string, string> });
    assert.deepEqual(
      remaining.map((ms) => Math.ceil(ms / 500) * 500),
      [60_000, 1500, 2000, 2500],
    );
    await server.close();
  });

  it("is refused where the timeout cannot be read, and takes every form that clients write", async () => {
    const { server, url } = await running(() => ({}));
    const answerTo = async (name: string, value: string) => {
      const response = await fetch(url, { headers: { [name]: value } });
      return { status: response.status, text: await response.text() };
    };
    for (const [name, value, expected] of [
      ["x-server-timeout", "soon", "seconds, such as 1.5"],
      ["x-server-timeout", "-1", "seconds, such as 1.5"],
      ["x-server-timeout", "1s", "seconds, such as 1.5"],
      ["x-server-timeout", "1, 2", "seconds, such as 1.5"],
      ["x-server-timeout", "1e3", "seconds, such as 1.5"],
      ["grpc-timeout", "12x", "one to eight digits and one of H M S m u n"],
      ["grpc-timeout", "123456789S", "one to eight digits and one of H M S m u n"],
      ["connect-timeout-ms", "1.5", "one to ten digits"],
    ] as const) {
      const { status, text } = await answerTo(name, value);
      const { error } = JSON.parse(text) as { error: { message: string; details: { reason?: string }[] } };
      assert.equal(status, 400, `${name}: ${value}`);
      assert.equal(error.message, `invalid ${name} ${JSON.stringify(value)}: expected ${expected}`);
      assert.ok(error.details.some(({ reason }) => reason === "INVALID_TIMEOUT"));
    }
    for (const [name, value] of [
      ["x-server-timeout", "59.800000000000004"],
      ["x-server-timeout", "300"],
      ["x-server-timeout", ""],
      ["grpc-timeout", "99999999H"],
      ["connect-timeout-ms", "9999999999"],
    ] as const) {
      assert.equal((await answerTo(name, value)).status, 200, `${name}: ${value}`);
    }
    await server.close();
  });

  it("fails with 504 when its time has passed", async () => {
    const { server, url } = await running(() => new Promise(() => {}));
    assert.equal((await fetch(url, { headers: { "connect-timeout-ms": "20" } })).status, 504);
    await server.close({ deadlineMs: 0 });
  });

  it("is refused with 503 where the server runs as many as it may", async () => {
    const entered = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    const { server, url } = await running(
      async () => {
        entered.resolve();
        await released.promise;
        return {};
      },
      { maxConcurrentCalls: 1 },
    );
    const first = fetch(url);
    await entered.promise;
    assert.equal((await fetch(url)).status, 503);
    released.resolve();
    assert.equal((await first).status, 200);
    assert.equal((await fetch(url)).status, 200);
    await server.close();
  });

  it("says nothing of what its handler threw by accident", async () => {
    const { server, url } = await running(() => {
      throw new Error("a secret");
    });
    const response = await fetch(url);
    assert.equal(response.status, 500);
    assert.doesNotMatch(await response.text(), /secret/);
    await server.close();
  });

  it("sets its status, and a location where it redirects", async () => {
    const { server, url } = await running((request, context) => {
      if (request.name !== "x") context.responseHeader.set("location", "/elsewhere");
      setHttpStatus(context, request.name === "x" ? 202 : 303);
      return {};
    });
    assert.equal((await fetch(url)).status, 202);
    assert.equal((await fetch(url.replace(/x$/, "y"), { redirect: "manual" })).status, 303);
    await server.close();
  });

  it("that runs is answered when the server closes; idle connections close at once", async () => {
    const entered = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    const { server, port } = await running(async () => {
      entered.resolve();
      await released.promise;
      return { title: "late" };
    });
    const idle = connect(port, "127.0.0.1");
    idle.write("GET /v1/nothing HTTP/1.1\r\nhost: a\r\n\r\n");
    await once(idle, "data");
    const idleClosed = once(idle, "close");
    const busy = connect(port, "127.0.0.1");
    busy.write("GET /v1/books/x HTTP/1.1\r\nhost: a\r\n\r\n");
    const answer = readUntil(busy);
    await entered.promise;
    assert.equal(server.openConnections, 2);
    const closed = server.close({ deadlineMs: 10_000 });
    idle.resume();
    await idleClosed;
    released.resolve();
    assert.match(await answer, /^HTTP\/1\.1 200[\s\S]*connection: close[\s\S]*late/i);
    await closed;
    assert.equal(server.openConnections, 0);
  });
});
