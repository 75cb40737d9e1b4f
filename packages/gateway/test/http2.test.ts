import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from "node:http2";
import { get } from "node:https";
import { after, before, describe, it } from "node:test";
import { createClient } from "@connectrpc/connect";
import { createGateway } from "@tercel/gateway";
import { type ClientCertificate, callInfo, createChannel, createServer } from "@tercel/grpc";
import { createAuthority, createSelfSigned, withoutOpenssl } from "@tercel/test-support/certificates";
import { Library } from "./gen/tercel/gateway/test/v1/library_pb.ts";
import { type RunningLibrary, startLibrary } from "./support/library.ts";

const quiet = { log: { debug() {}, info() {}, warn() {}, error() {} } };

interface Response {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: Buffer;
}

async function request(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  body?: string | Uint8Array,
): Promise<Response> {
  const stream = session.request(headers);
  stream.end(body);
  const [received] = (await once(stream, "response")) as [Record<string, unknown>];
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return { status: Number(received[":status"]), headers: received, body: Buffer.concat(chunks) };
}

describe("over HTTP/2 without TLS", () => {
  let library: RunningLibrary;
  let session: ClientHttp2Session;
  before(async () => {
    library = await startLibrary(Library, { cors: { origins: ["https://a.example"] } }, quiet);
    session = connect(library.url);
  });
  after(async () => {
    session.close();
    await library.server.close({ deadlineMs: 0 });
  });
  const json = { "content-type": "application/json" };

  it("REST, Connect, gRPC-Web and gRPC are served on one connection and one port", async () => {
    const rest = await request(session, { ":path": "/v1/shelves/7/books/1", origin: "https://a.example" });
    assert.equal(rest.status, 200);
    assert.equal(JSON.parse(rest.body.toString()).title, "Flatland");
    assert.equal(rest.headers["access-control-allow-origin"], "https://a.example");
    const path = "/tercel.gateway.test.v1.Library/GetBook";
    const body = JSON.stringify({ name: "shelves/7/books/1" });
    const unary = await request(session, { ":method": "POST", ":path": path, ...json }, body);
    assert.equal(JSON.parse(unary.body.toString()).title, "Flatland");
    const envelope = Buffer.concat([Buffer.from([0, 0, 0, 0, body.length]), Buffer.from(body)]);
    const web = { ":method": "POST", ":path": path, "content-type": "application/grpc-web+json" };
    assert.match((await request(session, web, envelope)).body.toString("latin1"), /Flatland[\s\S]*grpc-status: 0/);
    const channel = createChannel(`127.0.0.1:${library.port}`);
    assert.equal((await createClient(Library, channel).getBook({ name: "shelves/7/books/1" })).title, "Flatland");
    await channel.close();
  });

  it("refusals have the same status as over HTTP/1.1", async () => {
    assert.equal((await request(session, { ":path": "/v1/nothing" })).status, 404);
    assert.equal((await request(session, { ":path": "/v1/../x" })).status, 400);
    assert.equal((await request(session, { ":path": "/v1/shelves/7/books", ":method": "PUT" })).status, 405);
    assert.equal(
      (await request(session, { ":path": "/v1/tags", ":method": "POST", "content-type": "text/plain" }, "[]")).status,
      415,
    );
  });

  it("headers over the limit get 431 unless the client uses gRPC", async () => {
    // RFC 9113 §6.5.2 counts 32 bytes for each field, besides its name and its value.
    const sizeOf = (headers: OutgoingHttpHeaders) =>
      Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + String(value).length + 32, 0);
    const filled = (headers: OutgoingHttpHeaders, excess: number) => {
      const all = { ":method": "GET", ":scheme": "http", ":authority": `127.0.0.1:${library.port}`, ...headers };
      const length = 16_384 + excess - sizeOf({ ...all, "x-large": "" });
      return { ...all, "x-large": "x".repeat(length) };
    };
    const posted = { ":method": "POST", ...json };
    const method = "/tercel.gateway.test.v1.Library/GetBook";
    for (const headers of [
      { ":path": "/v1/shelves/7/books/1" },
      { ":path": "/v1/nothing" },
      { ...posted, ":path": "/v1/tags" },
      { ...posted, ":path": method },
      { ...posted, ":path": method, "content-type": "application/grpc-web+proto" },
      { ":method": "POST", ":path": "/v1/tags" },
    ]) {
      const refused = await request(session, filled(headers, 1));
      assert.equal(refused.status, 431, JSON.stringify(headers));
      assert.equal("grpc-status" in refused.headers, false);
    }
    assert.equal((await request(session, filled({ ":path": "/v1/shelves/7/books/1" }, 0))).status, 200);
    // A gRPC request, with its content-type before and after the metadata that is too large.
    const grpc = { ":method": "POST", ":path": method, "content-type": "application/grpc" };
    for (const headers of [filled(grpc, 1), { ...filled({ ...grpc, "content-type": undefined }, 100), ...grpc }]) {
      const refused = await request(session, headers);
      assert.deepEqual([refused.status, refused.headers["grpc-status"]], [200, "8"]);
    }
  });

  it("a body without a JSON content type is refused, even if the head does not announce it", async () => {
    const before = library.state.requests.length;
    for (const headers of [{}, { "content-type": "text/plain" }, { ...json, "content-encoding": "zstd" }]) {
      const refused = await request(session, { ":path": "/v1/tags", ":method": "POST", ...headers }, "[]");
      assert.equal(refused.status, 415);
      assert.ok("accept" in refused.headers || "accept-encoding" in refused.headers);
    }
    const lines = { ":path": "/v1/books:import", ":method": "POST", "content-type": "text/plain" };
    assert.equal((await request(session, lines, "{}")).status, 415);
    assert.equal(library.state.requests.length, before);
  });

  it("large bodies are sent and received", async () => {
    const text = "a".repeat(1_000_000);
    const { body } = await request(
      session,
      { ":method": "POST", ":path": "/v1/echo", ...json },
      JSON.stringify({ text }),
    );
    assert.equal(JSON.parse(body.toString()).text, text);
    const over = await request(
      session,
      { ":method": "POST", ":path": "/v1/echo", ...json },
      JSON.stringify({ text: text.repeat(5) }),
    );
    assert.equal(over.status, 413);
  });

  it("streams are read as they are written, and are canceled when the client disconnects", async () => {
    const stream = session.request({ ":path": "/v1/books:watch?count=2000000000", accept: "text/event-stream" });
    const [first] = (await once(stream, "data")) as [Buffer];
    assert.match(first.toString(), /^id: 1\ndata: /);
    assert.equal(library.server.openCalls, 1);
    stream.on("error", () => {});
    stream.destroy();
    while (library.server.openCalls > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it("an array is reset on failure", async () => {
    const stream = session.request({ ":path": "/v1/books:watch?count=3&fail_after=1", accept: "application/json" });
    await assert.rejects(async () => {
      for await (const _ of stream);
    }, /NGHTTP2_INTERNAL_ERROR/);
  });

  it("requests finish when the server closes", async () => {
    const other = await startLibrary(Library, {}, quiet);
    const client = connect(other.url);
    assert.equal((await request(client, { ":path": "/v1/shelves/7/books/1" })).status, 200);
    const ended = once(client, "close");
    await other.server.close();
    await ended;
  });
});

describe("over TLS", { skip: withoutOpenssl }, () => {
  it("HTTP/1.1 and HTTP/2 are served on one port", async () => {
    const { cert, key } = createSelfSigned();
    const library = await startLibrary(Library, {}, { ...quiet, tls: { cert, key } });
    try {
      const url = `https://127.0.0.1:${library.port}`;
      const session = connect(url, { rejectUnauthorized: false });
      const second = await request(session, { ":path": "/v1/shelves/7/books/1" });
      assert.equal(JSON.parse(second.body.toString()).title, "Flatland");
      session.close();
      const first = get(`${url}/v1/shelves/7/books/1`, { rejectUnauthorized: false, agent: false });
      const [response] = (await once(first, "response")) as [
        AsyncIterable<Buffer> & { statusCode: number; httpVersion: string },
      ];
      assert.deepEqual([response.statusCode, response.httpVersion], [200, "1.1"]);
      let body = "";
      for await (const chunk of response) body += chunk.toString();
      assert.equal(JSON.parse(body).title, "Flatland");
    } finally {
      await library.server.close({ deadlineMs: 0 });
    }
  });

  it("client certificates are available over HTTP/1.1 and HTTP/2, and untrusted ones are refused", async () => {
    const authority = createAuthority();
    const stranger = createAuthority("Another CA");
    const { cert, key } = authority.issue({ names: ["IP:127.0.0.1"] });
    const certificates: (ClientCertificate | undefined)[] = [];
    const server = createServer({
      routes: (router) =>
        router.rpc(Library.method.echo, (_request, context) => {
          certificates.push(context.values.get(callInfo)?.peerTls?.certificate);
          return {};
        }),
      gateway: createGateway(),
      tls: { cert, key, ca: authority.cert, requestCert: true, rejectUnauthorized: true },
      ...quiet,
    });
    const { port } = await server.listen({ port: 0 });
    const url = `https://127.0.0.1:${port}`;
    const identity = authority.issue({ names: ["URI:spiffe://example.org/orders", "DNS:orders.internal"] });
    const ask = async (client: { cert: Buffer; key: Buffer }): Promise<number> => {
      const asked = get(`${url}/v1/echo`, { ca: authority.cert, agent: false, ...client });
      const [response] = (await once(asked, "response")) as [IncomingMessage];
      response.resume();
      await once(response, "end");
      return response.statusCode ?? 0;
    };
    try {
      assert.equal(await ask(identity), 200);
      const session = connect(url, { ca: authority.cert, cert: identity.cert, key: identity.key });
      assert.equal((await request(session, { ":path": "/v1/echo" })).status, 200);
      session.close();
      assert.deepEqual(certificates[0]?.uris, ["spiffe://example.org/orders"]);
      assert.deepEqual(certificates[0]?.dnsNames, ["orders.internal"]);
      assert.deepEqual(certificates[0], certificates[1]);
      await assert.rejects(ask(stranger.issue({ names: ["URI:spiffe://example.org/orders"] })));
      assert.equal(certificates.length, 2);
    } finally {
      await server.close({ deadlineMs: 0 });
      authority.dispose();
      stranger.dispose();
    }
  });
});
