import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createFileRegistry, type DescService, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, createClient, type HandlerContext } from "@connectrpc/connect";
import { createGateway, forward, loadServices, loadServicesByReflection } from "@tercel/gateway";
import { type Channel, createChannel, createServer, type LogFields, type Server } from "@tercel/grpc";
import { createReflection } from "@tercel/grpc/services";
import { assertStatus } from "@tercel/grpc/testing";
import { type Everything, Library } from "./gen/tercel/gateway/test/v1/library_pb.ts";
import { createLibrary, createLibraryState, type LibraryState } from "./support/library.ts";

const quiet = { log: { debug() {}, info() {}, warn() {}, error() {} } };
const root = join(import.meta.dirname, "..", "..", "..");

/** A service, and a gateway that reaches it only over a channel. */
class Forwarding {
  readonly state: LibraryState = createLibraryState();
  readonly contexts: HandlerContext[] = [];
  readonly logged: { message: string; fields: LogFields | undefined }[] = [];
  inner!: Server;
  outer!: Server;
  channel!: Channel;
  url = "";
  target = "";

  async start(load: (channel: Channel) => Promise<DescService> = async () => Library): Promise<void> {
    const reflection = createReflection({ services: [Library] });
    this.inner = createServer({
      routes: (router) => {
        reflection.routes(router);
        router.service(Library, {
          ...createLibrary(this.state),
          echo: (request, context) => {
            this.contexts.push(context);
            context.responseHeader.append("set-cookie", "a=1");
            context.responseHeader.append("set-cookie", "b=2");
            return request;
          },
          lendBook: async (_request, context) => {
            this.contexts.push(context);
            await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
            return {};
          },
        });
      },
      keepUnknownFields: true,
      ...quiet,
    });
    const { port } = await this.inner.listen({ port: 0 });
    this.target = `127.0.0.1:${port}`;
    this.channel = createChannel(this.target, quiet);
    const service = await load(this.channel);
    const log = {
      ...quiet.log,
      warn: (message: string, fields?: LogFields) => void this.logged.push({ message, fields }),
    };
    this.outer = createServer({
      routes: (router) => forward(router, service, this.channel, { forwardHeaders: ["x-tenant"], log }),
      gateway: createGateway({ openapi: {} }),
      keepUnknownFields: true,
      ...quiet,
    });
    this.url = `http://127.0.0.1:${(await this.outer.listen({ port: 0 })).port}`;
  }

  async close(): Promise<void> {
    await this.outer.close({ deadlineMs: 0 });
    await this.channel.close({ deadlineMs: 0 });
    await this.inner.close({ deadlineMs: 0 });
  }
}

const json = { "content-type": "application/json" };

describe("a forwarded service", () => {
  const forwarding = new Forwarding();
  before(() => forwarding.start());
  after(() => forwarding.close());
  const request = (path: string, init: RequestInit = {}) => fetch(forwarding.url + path, init);

  it("is served over REST, with the headers and trailers of its response", async () => {
    const response = await request("/v1/shelves/7/books/1");
    assert.equal(((await response.json()) as { title: string }).title, "Flatland");
    assert.deepEqual([response.headers.get("x-served-by"), response.headers.get("x-cost")], ["library", "3"]);
    assert.equal(response.headers.get("content-type"), "application/json");
    assert.deepEqual((await request("/v1/echo")).headers.getSetCookie(), ["a=1", "b=2"]);
  });

  it("receives the client's headers, except for forged ones", async () => {
    const headers = {
      ...{ authorization: "Bearer t", traceparent: "00-1-2-01", "x-request-id": "r", "accept-language": "de" },
      ...{
        "idempotency-key": "k",
        "x-tenant": "acme",
        "x-user-id": "root",
        "x-forwarded-for": "1.1.1.1",
        cookie: "c=d",
      },
    };
    assert.equal((await request("/v1/echo", { headers })).status, 200);
    const { requestHeader } = forwarding.contexts.at(-1) as HandlerContext;
    for (const name of [
      "authorization",
      "traceparent",
      "x-request-id",
      "accept-language",
      "idempotency-key",
      "x-tenant",
    ]) {
      assert.equal(requestHeader.get(name), headers[name as keyof typeof headers], name);
    }
    for (const name of ["x-user-id", "x-forwarded-for", "cookie"]) assert.equal(requestHeader.get(name), null, name);
  });

  it("receives the remaining deadline", async () => {
    await request("/v1/echo", { headers: { "x-server-timeout": "7" } });
    const remaining = forwarding.contexts.at(-1)?.timeoutMs() ?? 0;
    assert.ok(remaining > 0 && remaining <= 7000, `${remaining} ms`);
    const late = await request("/v1/shelves/7/books/1:lend", {
      ...{ method: "POST", body: "{}", headers: { ...json, "x-server-timeout": "0.2" } },
    });
    assert.equal(late.status, 504);
  });

  it("is canceled when the client disconnects", async () => {
    const abort = new AbortController();
    const { length } = forwarding.contexts;
    const gone = request("/v1/shelves/7/books/1:lend", {
      ...{ method: "POST", body: "{}", headers: json, signal: abort.signal },
    });
    while (forwarding.contexts.length === length) await new Promise((resolve) => setImmediate(resolve));
    abort.abort();
    await assert.rejects(gone);
    const { signal } = forwarding.contexts.at(-1) as HandlerContext;
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
  });

  it("passes on its errors with details and retry delay", async () => {
    const missing = await request("/v1/shelves/7/books/9");
    assert.equal(missing.status, 404);
    const { error } = (await missing.json()) as { error: { message: string; details: { "@type": string }[] } };
    assert.equal(error.message, "shelves/7/books/9 was not found");
    assert.ok(error.details.some((detail) => detail["@type"].endsWith("google.rpc.ResourceInfo")));
    const busy = await request("/v1/books:watch?count=1&fail_after=-1");
    assert.equal(busy.status, 503);
    assert.equal(busy.headers.get("retry-after"), "2");
  });

  it("supports all kinds of streams", async () => {
    const lines = await (await request("/v1/books:watch?count=2")).text();
    assert.equal(lines.trimEnd().split("\n").length, 2);
    const imported = await request("/v1/books:import", {
      ...{
        method: "POST",
        headers: { "content-type": "application/x-ndjson" },
        body: '{"shelf":"1"}\n{"shelf":"2"}\n',
      },
    });
    assert.deepEqual(await imported.json(), { count: 2 });
    const channel = createChannel(forwarding.url.slice("http://".length));
    const client = createClient(Library, channel);
    const answers: string[] = [];
    async function* ask() {
      for (const text of ["a", "b"]) {
        yield { text };
        while (answers.length === 0 || answers.at(-1) !== text) await new Promise((resolve) => setImmediate(resolve));
      }
    }
    for await (const { text } of client.chat(ask())) answers.push(text);
    assert.deepEqual(answers, ["a", "b"]);
    await channel.close();
  });

  it("keeps fields that are unknown to the gateway", async () => {
    const channel = createChannel(forwarding.url.slice("http://".length));
    const unknown = Buffer.from([0xfa, 0x3f, 1, 0x78]);
    const { message } = await channel.raw.unary("/tercel.gateway.test.v1.Library/Echo", unknown);
    assert.deepEqual(Buffer.from(message), unknown);
    await channel.close();
  });
});

describe("an unreachable forwarded service", () => {
  it("is UNAVAILABLE for the client without internal addresses, which are only logged", async () => {
    const forwarding = new Forwarding();
    await forwarding.start();
    await forwarding.inner.close({ deadlineMs: 0 });
    const response = await fetch(`${forwarding.url}/v1/shelves/7/books/1`);
    assert.equal(response.status, 503);
    const body = await response.text();
    assert.match(body, /"tercel\.gateway\.test\.v1\.Library\/GetBook could not be called"/);
    assert.ok(!body.includes(forwarding.target) && !body.includes("127.0.0.1"));
    const [line] = forwarding.logged;
    assert.equal(line?.message, "a call could not be forwarded");
    assert.match(String(line?.fields?.error), /127\.0\.0\.1/);
    const watching = await fetch(`${forwarding.url}/v1/books:watch?count=1`);
    assert.equal(watching.status, 503);
    await forwarding.close();
  });
});

describe("a service without generated code", () => {
  const folder = mkdtempSync(join(tmpdir(), "tercel-forward-"));
  const file = join(folder, "api.binpb");
  before(() => {
    execFileSync(join(root, "node_modules", ".bin", "buf"), ["build", "-o", file], {
      cwd: join(root, "packages/gateway"),
    });
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const [from, load] of [
    ["a descriptor set", async () => loadServices(readFileSync(file)).get(Library.typeName)],
    ["reflection", async (channel: Channel) => (await loadServicesByReflection(channel)).get(Library.typeName)],
  ] as const) {
    it(`is forwarded with descriptors from ${from}: routes, masks, bytes, well-known types, errors, OpenAPI`, async () => {
      const forwarding = new Forwarding();
      await forwarding.start(load);
      try {
        const request = (path: string, init: RequestInit = {}) => fetch(forwarding.url + path, init);
        const book = (await (await request("/v1/shelves/7/books/1")).json()) as { pageCount: string };
        assert.equal(book.pageCount, "96");
        const patched = await request("/v1/shelves/7/books/1", {
          ...{ method: "PATCH", headers: json, body: '{"author":{"givenName":"Ada"}}' },
        });
        assert.deepEqual(((await patched.json()) as { author: object }).author, {
          givenName: "Ada",
          familyName: "Abbott",
        });
        const file = await request("/v1/files/a/b.txt");
        assert.deepEqual([file.headers.get("content-type"), await file.text()], ["text/plain", "file a/b.txt"]);
        const put = await request("/v1/file", { method: "PUT", headers: { "content-type": "image/x" }, body: "abc" });
        assert.deepEqual([put.headers.get("content-type"), await put.text()], ["image/x", "abc"]);
        const at = "2026-01-31T08:00:00Z";
        assert.deepEqual(await (await request(`/v1/echo?at=${at}&took=1.5s&genre=GENRE_POEM&maybe_text=x`)).json(), {
          ...{ genre: "GENRE_POEM", at, took: "1.500s", maybeText: "x" },
        });
        assert.equal(forwarding.state.requests.length > 0, true);
        const wrong = (await (await request("/v1/echo?gnre=1")).json()) as { error: { message: string } };
        assert.match(wrong.error.message, /did you mean "genre"/);
        const { paths } = (await (await request("/openapi.json")).json()) as { paths: object };
        assert.ok("/v1/shelves/{shelf}/books" in paths);
        const channel = createChannel(forwarding.url.slice("http://".length));
        const client = createClient(Library, channel);
        const echoed: Everything = await client.echo({
          text: "a",
          counts: { b: 1 },
          choice: { case: "left", value: "c" },
        });
        assert.deepEqual([echoed.text, echoed.counts, echoed.choice], ["a", { b: 1 }, { case: "left", value: "c" }]);
        await assertStatus(client.getBook({ name: "none" }), Code.NotFound);
        await channel.close();
      } finally {
        await forwarding.close();
      }
    });
  }

  it("is rejected with the most similar name, and invalid descriptors with instructions", () => {
    const loaded = loadServices(readFileSync(file));
    assert.deepEqual(
      loaded.services.map((service) => service.typeName),
      ["tercel.gateway.test.v1.Library", "tercel.gateway.transcoding.v1.Transcoding"],
    );
    assert.throws(
      () => loaded.get("tercel.gateway.test.v1.Libary"),
      /did you mean "tercel\.gateway\.test\.v1\.Library"/,
    );
    assert.throws(() => loadServices(Buffer.from("no set")), /buf build -o api\.binpb/);
    const set = fromBinary(FileDescriptorSetSchema, readFileSync(file));
    set.file = set.file.filter((one) => !one.name.startsWith("google/api/"));
    assert.throws(() => loadServices(toBinary(FileDescriptorSetSchema, set)), /not a whole descriptor set/);
    assert.ok(createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(file))));
  });

  it("cannot be loaded from a server without reflection", async () => {
    const server = createServer({
      routes: (router) => router.service(Library, createLibrary(createLibraryState())),
      ...quiet,
    });
    const { port } = await server.listen({ port: 0 });
    const channel = createChannel(`127.0.0.1:${port}`, quiet);
    await assertStatus(loadServicesByReflection(channel), Code.Unimplemented);
    await channel.close();
    await server.close({ deadlineMs: 0 });
  });
});

describe("forward", () => {
  const make = (options: object) => () =>
    createServer({ routes: (router) => forward(router, Library, createChannel("127.0.0.1:1"), options), ...quiet });

  it("rejects invalid options", () => {
    assert.throws(make({ forwardHeader: ["x-a"] }), /did you mean "forwardHeaders"/);
    assert.throws(make({ forwardHeaders: ["X-A"] }), /in lower case/);
    assert.throws(make({ forwardHeaders: ["grpc-timeout"] }), /not one of gRPC's own/);
  });
});
