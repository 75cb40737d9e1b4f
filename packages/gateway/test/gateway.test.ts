import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ConnectError } from "@connectrpc/connect";
import { createGateway, type GatewayOptions } from "@tercel/gateway";
import { createServer } from "@tercel/grpc";
import { Library } from "./gen/tercel/gateway/test/v1/library_pb.ts";
import { createLibrary, createLibraryState, startLibrary } from "./support/library.ts";

const quiet = { log: { debug() {}, info() {}, warn() {}, error() {} } };

/** Runs a library for one test. */
async function withLibrary(gateway: GatewayOptions, run: (url: string) => Promise<void>): Promise<void> {
  const library = await startLibrary(Library, gateway, quiet);
  try {
    await run(library.url);
  } finally {
    await library.server.close({ deadlineMs: 0 });
  }
}

describe("createGateway", () => {
  for (const [options, text] of [
    [{ protocol: ["rest"] }, /did you mean "protocols"/],
    [{ protocols: ["soap"] }, /protocols is "soap"; it has to be one of "connect", "grpc-web", "rest"/],
    [{ errorBody: "xml" }, /errorBody is "xml"/],
    [{ defaultStream: "sse" }, /defaultStream is "sse"/],
    [{ etag: "weak" }, /etag is "weak"/],
    [{ unknownQuery: "warn" }, /unknownQuery is "warn"/],
    [{ defaultTimeoutMs: 0 }, /defaultTimeoutMs is 0/],
    [{ fallback: "x" }, /fallback has to be a function/],
    [{ methods: [{ of: "a", status: 201 }] }, /unknown option "status"\. Known options: of, successStatus/],
    [{ methods: [{ of: "a", successStatus: 404 }] }, /successStatus is 404/],
    [{ http1: { headTimeoutMs: 0 } }, /headTimeoutMs is 0/],
    [{ http1: { headTimeout: 1 } }, /did you mean "headTimeoutMs"/],
    [{ sse: { id: 1 } }, /did you mean "idOf"/],
  ] as const) {
    it(`rejects ${JSON.stringify(options)}`, () => {
      assert.throws(() => createGateway(options as unknown as GatewayOptions), text);
    });
  }
});

describe("createServer with a gateway", () => {
  const make = (gateway: GatewayOptions) =>
    createServer({
      routes: (router) => router.service(Library, createLibrary(createLibraryState())),
      gateway: createGateway(gateway),
    });

  it("rejects rules that do not match, and names of unknown methods", () => {
    const rule = (selector: string, value: string) => ({
      rules: [{ selector, pattern: { case: "get" as const, value } }],
    });
    assert.throws(
      () => make(rule("tercel.gateway.test.v1.Library.GetBok", "/x")),
      /did you mean "tercel\.gateway\.test\.v1\.Library\.GetBook"/,
    );
    assert.throws(
      () => make(rule("tercel.gateway.test.v1.Library.GetBook", "/x/{nme}")),
      /no field "nme"; did you mean "name"/,
    );
    assert.throws(
      () => make(rule("tercel.gateway.test.v1.Library.GetBook", "/v1/tags/{name")),
      /column 10: a variable without }/,
    );
    assert.throws(
      () => make(rule("tercel.gateway.test.v1.Library.GetBook", "/v1/echo")),
      /Library\/Echo and tercel\.gateway\.test\.v1\.Library\/GetBook have the same route/,
    );
    assert.throws(
      () => make({ methods: [{ of: "tercel.gateway.test.v1.Library/GetBok", successStatus: 201 }] }),
      /did you mean/,
    );
  });

  it("rejects a gateway together with an http1Server, and a value that is no gateway", () => {
    const routes = () => {};
    const http1Server = { emit: () => true };
    assert.throws(() => createServer({ routes, gateway: createGateway(), http1Server }), /exclude each other/);
    assert.throws(() => createServer({ routes, gateway: {} as never }), /createGateway/);
  });
});

describe("a gateway", () => {
  const post = (url: string, type: string) =>
    fetch(`${url}/tercel.gateway.test.v1.Library/Echo`, {
      method: "POST",
      headers: { "content-type": type },
      body: "{}",
    });

  it("serves only the protocols in the options", async () => {
    await withLibrary({ protocols: ["rest"] }, async (url) => {
      assert.equal((await fetch(`${url}/v1/echo`)).status, 200);
      assert.equal((await post(url, "application/json")).status, 415);
      assert.equal((await post(url, "application/grpc-web")).status, 415);
      assert.equal((await fetch(`${url}/tercel.gateway.test.v1.Library/GetBook?encoding=json&message={}`)).status, 405);
    });
    await withLibrary({ protocols: ["connect"] }, async (url) => {
      assert.equal((await fetch(`${url}/v1/echo`)).status, 404);
      assert.equal((await post(url, "application/json")).status, 200);
      assert.equal((await post(url, "application/grpc-web")).status, 415);
    });
  });

  it("responds to gRPC over HTTP/1.1 with 505, and to unknown types with the supported ones", async () => {
    await withLibrary({}, async (url) => {
      assert.equal((await post(url, "application/grpc")).status, 505);
      const refused = await post(url, "application/xml");
      assert.equal(refused.status, 415);
      assert.match(refused.headers.get("accept-post") ?? "", /application\/json, application\/proto/);
      const get = await fetch(`${url}/tercel.gateway.test.v1.Library/CreateBook`);
      assert.deepEqual([get.status, get.headers.get("allow")], [405, "POST, OPTIONS"]);
    });
  });

  it("uses the rules of the options instead of the proto annotations", async () => {
    const rules = [
      { selector: "tercel.gateway.test.v1.Library.Echo", pattern: { case: "get" as const, value: "/echo/{text}" } },
    ];
    await withLibrary({ rules }, async (url) => {
      assert.deepEqual(await (await fetch(`${url}/echo/a`)).json(), { text: "a" });
      assert.equal((await fetch(`${url}/v1/echo`)).status, 404);
    });
  });

  it("supports other error formats", async () => {
    await withLibrary({ errorBody: "status" }, async (url) => {
      const json = (await (await fetch(`${url}/v1/shelves/1/books/2`)).json()) as { code: number; message: string };
      assert.deepEqual([json.code, json.message], [5, "shelves/1/books/2 was not found"]);
    });
    const errorBody = (error: ConnectError, status: number) => ({ status, text: error.rawMessage });
    await withLibrary({ errorBody }, async (url) => {
      const json = await (await fetch(`${url}/v1/shelves/1/books/2`)).json();
      assert.deepEqual(json, { status: 404, text: "shelves/1/books/2 was not found" });
    });
  });

  it("supports ETags of bodies, array streams and event ids as options", async () => {
    const options: GatewayOptions = { etag: "body", defaultStream: "array", sse: { idOf: () => "x" } };
    await withLibrary(options, async (url) => {
      const first = await fetch(`${url}/v1/echo?text=a`);
      const etag = first.headers.get("etag") ?? "";
      assert.match(etag, /^"[A-Za-z0-9_-]{22}"$/);
      assert.equal((await fetch(`${url}/v1/echo?text=a`, { headers: { "if-none-match": etag } })).status, 304);
      assert.equal((await fetch(`${url}/v1/echo?text=b`, { headers: { "if-none-match": etag } })).status, 200);
      assert.match(await (await fetch(`${url}/v1/books:watch?count=1`)).text(), /^\[\{/);
      const events = await fetch(`${url}/v1/books:watch?count=1`, { headers: { accept: "text/event-stream" } });
      assert.match(await events.text(), /^id: x\n/);
    });
  });
});

describe("application functions that throw", () => {
  const fail = (): never => {
    throw new Error("a bug");
  };

  it("fail only their own request", async () => {
    const library = await startLibrary(
      Library,
      { cors: { origins: fail }, errorBody: fail, sse: { idOf: fail }, fallback: fail },
      quiet,
    );
    try {
      await assert.rejects(fetch(`${library.url}/v1/echo`, { headers: { origin: "https://a.example" } }));
      await assert.rejects(fetch(`${library.url}/v1/shelves/7/books/none`));
      await assert.rejects(fetch(`${library.url}/v1/echo?nothing=1`));
      await assert.rejects(fetch(`${library.url}/v1/tags`, { method: "PUT" }));
      await assert.rejects(
        fetch(`${library.url}/v1/books:watch?count=1`, { headers: { accept: "text/event-stream" } }),
      );
      assert.equal((await fetch(`${library.url}/page`)).status, 500);
      assert.equal((await fetch(`${library.url}/v1/echo?text=a`)).status, 200);
      assert.equal(library.server.openCalls, 0);
    } finally {
      await library.server.close({ deadlineMs: 0 });
    }
  });
});

describe("the fallback of a gateway", () => {
  it("receives every other request with its body, and may stream its response", async () => {
    const fallback = async (request: Request): Promise<Response> => {
      const body = await request.text();
      const chunks = [request.method, " ", new URL(request.url).pathname, " ", String(body.length)];
      return new Response(ReadableStream.from(chunks.map((chunk) => Buffer.from(chunk))), {
        ...{
          status: 418,
          headers: [
            ["set-cookie", "a=1"],
            ["set-cookie", "b=2"],
            ["x-in", request.headers.get("x-out") ?? ""],
          ],
        },
      });
    };
    await withLibrary({ fallback }, async (url) => {
      const response = await fetch(`${url}/page?x=1`, {
        method: "POST",
        headers: { "x-out": "y" },
        body: "a".repeat(300_000),
      });
      assert.equal(response.status, 418);
      assert.deepEqual(response.headers.getSetCookie(), ["a=1", "b=2"]);
      assert.equal(response.headers.get("x-in"), "y");
      assert.equal(await response.text(), "POST /page 300000");
      assert.equal((await fetch(`${url}/page`)).status, 418);
    });
  });

  it("is answered with 500 without details if it throws", async () => {
    const fallback = () => {
      throw new Error("a secret");
    };
    await withLibrary({ fallback }, async (url) => {
      const response = await fetch(`${url}/page`);
      assert.equal(response.status, 500);
      assert.equal(await response.text(), "internal error\n");
    });
  });

  it("leaves the connection usable if it does not read the body", async () => {
    await withLibrary({ fallback: () => new Response("no") }, async (url) => {
      for (let at = 0; at < 3; at++) {
        const response = await fetch(`${url}/page`, { method: "POST", body: "a".repeat(200_000) });
        assert.equal(await response.text(), "no");
      }
    });
  });
});
