import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { systemClock } from "@tercel/grpc";
import { createFakeClock } from "@tercel/grpc/testing";
import { createSelfSigned, withoutOpenssl } from "@tercel/test-support/certificates";
import { HttpClient, type HttpClientOptions, statusError } from "./http-client.ts";

async function serve(t: TestContext, listener: RequestListener, tls?: { key: Buffer; cert: Buffer }): Promise<URL> {
  const server = tls === undefined ? createServer(listener) : createHttpsServer(tls, listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(async () => {
    server.closeAllConnections();
    const closed = once(server, "close");
    server.close();
    await closed;
  });
  const { port } = server.address() as { port: number };
  return new URL(tls === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`);
}

function connect(t: TestContext, baseUrl: URL, options: Partial<HttpClientOptions> = {}): HttpClient {
  const client = new HttpClient({ baseUrl, clock: systemClock, headers: () => ({}), ...options });
  t.after(() => client.close());
  return client;
}

const codeIs = (code: Code) => (error: unknown) => ConnectError.from(error).code === code;

test("a request carries its method, path, query, headers and body, after the path of the base URL", async (t) => {
  const base = await serve(t, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method, url, headers } = request;
    response.statusCode = 201;
    response.end(JSON.stringify({ method, url, token: headers.token, body: Buffer.concat(chunks).toString() }));
  });
  const client = connect(t, new URL("/consul/", base), { headers: () => ({ token: "t" }) });
  const { status, text } = await client.request({ method: "PUT", path: "/v1/x?a=b", body: { ü: 1 }, timeoutMs: 5000 });
  assert.equal(status, 201);
  assert.deepEqual(JSON.parse(text), { method: "PUT", url: "/consul/v1/x?a=b", token: "t", body: '{"ü":1}' });
});

test("a server that does not respond in time is Unavailable, and the error does not contain the query", async (t) => {
  const base = await serve(t, () => {});
  const clock = createFakeClock();
  const client = connect(t, base, { clock });
  const asked = client.request({ path: "/v1/x?secret=s", timeoutMs: 5000 });
  const rejected = assert.rejects(asked, (error) => {
    assert.equal(ConnectError.from(error).code, Code.Unavailable);
    assert.match(ConnectError.from(error).rawMessage, /^GET 127\.0\.0\.1:\d+\/v1\/x: no response within 5 s$/);
    return true;
  });
  await clock.advance(5000);
  await rejected;
  assert.equal(clock.pendingTimers, 0);
});

test("a signal cancels a request", async (t) => {
  const controller = new AbortController();
  const base = await serve(t, () => controller.abort());
  const asked = connect(t, base).request({ path: "/", signal: controller.signal, timeoutMs: 5000 });
  await assert.rejects(asked, codeIs(Code.Unavailable));
});

test("lines are reported as they arrive, and so is a connection that breaks in between", async (t) => {
  let isFirst = true;
  const base = await serve(t, (_, response) => {
    response.write("one\ntw");
    response.write("o\n");
    if (isFirst) response.end("three");
    else response.socket?.end();
    isFirst = false;
  });
  const client = connect(t, base);
  const lines: string[] = [];
  await client.readLines({ path: "/", timeoutMs: 5000 }, (line) => lines.push(line));
  assert.deepEqual(lines, ["one", "two", "three"]);
  const broken = client.readLines({ path: "/", timeoutMs: 5000 }, (line) => lines.push(line));
  await assert.rejects(broken, codeIs(Code.Unavailable));
});

test("the text of an unsuccessful response is returned, not reported as lines", async (t) => {
  const base = await serve(t, (_, response) => {
    response.statusCode = 403;
    response.end("no\nentry");
  });
  const { status, text } = await connect(t, base).readLines({ path: "/", timeoutMs: 5000 }, () =>
    assert.fail("a line"),
  );
  assert.deepEqual([status, text], [403, "no\nentry"]);
});

test("a private CA is trusted only if it is configured", { skip: withoutOpenssl }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "tercel-http-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const tls = createSelfSigned();
  const caFile = join(folder, "cert.pem");
  writeFileSync(caFile, tls.cert);
  const base = await serve(t, (_, response) => response.end("hello"), tls);
  const trusting = connect(t, base, { tls: { caFile } });
  assert.equal((await trusting.request({ path: "/", timeoutMs: 5000 })).text, "hello");
  const asked = connect(t, base).request({ path: "/", timeoutMs: 5000 });
  await assert.rejects(asked, /self-signed certificate/);
});

const codes: [status: number, code: Code][] = [
  [400, Code.InvalidArgument],
  [401, Code.Unauthenticated],
  [403, Code.PermissionDenied],
  [404, Code.NotFound],
  [429, Code.ResourceExhausted],
  [500, Code.Unavailable],
];
for (const [status, code] of codes) {
  test(`HTTP ${status} is ${Code[code]}`, () => assert.equal(statusError("asking", { status, text: "" }).code, code));
}

test("rejects a URL that is neither http nor https", () => {
  assert.throws(
    () => new HttpClient({ baseUrl: new URL("ftp://a"), clock: systemClock, headers: () => ({}) }),
    /http:\/\/ or https:\/\//,
  );
});
