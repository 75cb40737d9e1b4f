import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createGateway } from "@tercel/gateway";
import { Library } from "./gen/tercel/gateway/test/v1/library_pb.ts";
import { type RunningLibrary, startLibrary } from "./support/library.ts";

const origin = "https://app.example.com";
const quiet = { log: { debug() {}, info() {}, warn() {}, error() {} } };

describe("web pages of other origins", () => {
  let library: RunningLibrary;
  before(async () => {
    library = await startLibrary(
      Library,
      { cors: { origins: [origin], credentials: true, exposeHeaders: ["x-more"] } },
      quiet,
    );
  });
  after(() => library.server.close({ deadlineMs: 0 }));

  const ask = (path: string, headers: Record<string, string>, method = "GET") =>
    fetch(`${library.url}${path}`, { method, headers });
  const preflight = (path: string, from: string, headers: Record<string, string> = {}) =>
    ask(path, { origin: from, "access-control-request-method": "POST", ...headers }, "OPTIONS");

  it("may call if they are listed, with credentials, and read the response headers", async () => {
    const { headers } = await ask("/v1/shelves/7/books/1", { origin });
    assert.equal(headers.get("access-control-allow-origin"), origin);
    assert.equal(headers.get("access-control-allow-credentials"), "true");
    const exposed = (headers.get("access-control-expose-headers") ?? "").split(", ");
    for (const name of ["grpc-status", "x-served-by", "x-cost", "etag", "x-more"])
      assert.ok(exposed.includes(name), name);
    assert.match(headers.get("vary") ?? "", /origin/);
  });

  it("are not allowed by a reflected origin, null, or a prefix or suffix of a listed one", async () => {
    for (const other of [
      "https://evil.example",
      "null",
      `${origin}.evil.example`,
      "https://APP.example.com",
      "http://app.example.com",
    ]) {
      const { headers } = await ask("/v1/shelves/7/books/1", { origin: other });
      assert.equal(headers.get("access-control-allow-origin"), null, other);
      assert.match(headers.get("vary") ?? "", /origin/);
      const asked = await preflight("/v1/shelves/7/books", other);
      assert.equal(asked.headers.get("access-control-allow-origin"), null, other);
      assert.equal(asked.headers.get("access-control-allow-methods"), null, other);
    }
  });

  it("send a preflight, which reaches no handler", async () => {
    const before = library.server.calls.started;
    for (const [path, methods] of [
      ["/v1/shelves/7/books", "GET, POST, HEAD, OPTIONS"],
      ["/tercel.gateway.test.v1.Library/GetBook", "GET, POST, HEAD, OPTIONS"],
      ["/tercel.gateway.test.v1.Library/CreateBook", "POST, OPTIONS"],
    ] as const) {
      const response = await preflight(path, origin, { "access-control-request-headers": "content-type,x-user-agent" });
      assert.equal(response.status, 204);
      assert.equal(response.headers.get("access-control-allow-origin"), origin);
      assert.equal(response.headers.get("access-control-allow-methods"), methods);
      assert.equal(response.headers.get("access-control-allow-headers"), "content-type,x-user-agent");
      assert.equal(response.headers.get("access-control-max-age"), "7200");
    }
    assert.equal(library.server.calls.started, before);
  });

  it("get preflight responses for existing paths only", async () => {
    assert.equal((await preflight("/v1/nothing", origin)).status, 404);
    assert.equal((await preflight("/tercel.gateway.test.v1.Library/Nothing", origin)).status, 404);
  });
});

describe("the option cors", () => {
  it("is off by default", async () => {
    const library = await startLibrary(Library, {}, quiet);
    const { headers } = await fetch(`${library.url}/v1/shelves/7/books/1`, { headers: { origin } });
    assert.equal(headers.get("access-control-allow-origin"), null);
    assert.doesNotMatch(headers.get("vary") ?? "", /origin/);
    await library.server.close();
  });

  it("accepts every origin without credentials, or a function", async () => {
    for (const origins of ["*", (one: string) => one === origin] as const) {
      const library = await startLibrary(Library, { cors: { origins } }, quiet);
      const { headers } = await fetch(`${library.url}/v1/shelves/7/books/1`, { headers: { origin } });
      assert.equal(headers.get("access-control-allow-origin"), origins === "*" ? "*" : origin);
      assert.equal(headers.get("access-control-allow-credentials"), null);
      await library.server.close();
    }
  });

  it("is rejected if it is unsafe or not an origin", () => {
    assert.throws(() => createGateway({ cors: { origins: "*", credentials: true } }), /name the origins/);
    assert.throws(() => createGateway({ cors: { origins: ["https://a.example/"] } }), /without a path/);
    assert.throws(() => createGateway({ cors: { origins: ["a.example"] } }), /not an origin/);
    assert.throws(() => createGateway({ cors: { origin: "*" } as never }), /did you mean "origins"/);
  });
});
