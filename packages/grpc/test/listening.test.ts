import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { createServer as createHttp1Server, request as http1Request } from "node:http";
import { connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Code, createClient, type Interceptor } from "@connectrpc/connect";
import {
  type CallInfo,
  type ChannelOptions,
  callInfo,
  createChannel,
  createServer,
  type ServerOptions,
} from "@tercel/grpc";
import { assertStatus } from "@tercel/grpc/testing";
import { createAuthority, withoutOpenssl } from "@tercel/test-support/certificates";
import { EchoService } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { echoRoutes, recordingLog } from "./support/open-echo.ts";

const routes = echoRoutes({ unary: (request, context) => ({ text: `${request.text} ${context.url}` }) });

async function callOnce(target: string, options: ChannelOptions = {}): Promise<string> {
  const channel = createChannel(target, options);
  try {
    return (await createClient(EchoService, channel).unary({ text: "hi" })).text;
  } finally {
    await channel.close();
  }
}

describe("a server's address", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "tercel-listening-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  it("is the port it was given, or a free one for port 0, on the loopback interface", async () => {
    const server = createServer({ routes });
    assert.equal(server.address, undefined);
    const address = await server.listen({ port: 0 });
    assert.equal(address.host, "127.0.0.1");
    assert.ok(address.port > 0);
    assert.deepEqual(server.address, address);
    assert.match(await callOnce(`127.0.0.1:${address.port}`), /^hi http:\/\/127\.0\.0\.1:\d+\/tercel/);
    await server.close();
    assert.equal(server.address, undefined);
    const again = createServer({ routes });
    assert.equal((await again.listen({ port: address.port })).port, address.port);
    await again.close();
  });

  it("that is taken rejects with EADDRINUSE, the address and what to do, without a stack of Node's internals", async () => {
    const first = createServer({ routes });
    const { port } = await first.listen({ port: 0 });
    const second = createServer({ routes, log: recordingLog().log });
    const message =
      `cannot listen on 127.0.0.1:${port}: the port is in use (EADDRINUSE); ` +
      "stop the program that uses it, or choose another port (0 takes a free one)";
    await assert.rejects(second.listen({ port }), { code: "EADDRINUSE", message, stack: `Error: ${message}` });
    await second.close();
    await first.close();
  });

  it("that this machine does not have rejects with the address and what to do", async () => {
    const server = createServer({ routes, log: recordingLog().log });
    // RFC 5737: documentation only.
    await assert.rejects(server.listen({ host: "192.0.2.1", port: 0 }), {
      code: "EADDRNOTAVAIL",
      message:
        /^cannot listen on 192\.0\.2\.1:0: this machine does not have the address \(EADDRNOTAVAIL\); choose another host/,
    });
    await server.close();
  });

  it("may be a Unix socket", async () => {
    const path = join(folder, "echo.sock");
    const server = createServer({ routes });
    assert.deepEqual(await server.listen({ path }), { path });
    assert.match(await callOnce(`unix:${path}`), /^hi http:\/\/localhost\//);
    await server.close();
    await assert.rejects(callOnce(`unix:${path}`), { code: Code.Unavailable });
  });

  it("of a Unix socket may be opened for others by file permissions", async () => {
    const path = join(folder, "shared.sock");
    const server = createServer({ routes });
    await server.listen({ path, mode: 0o666 });
    assert.equal(statSync(path).mode & 0o777, 0o666);
    await server.close();
    await assert.rejects(createServer({ routes }).listen({ path, mode: 0o1000 }), /mode is 512/);
  });

  it("that others reach is warned of once when it is cleartext", async () => {
    const { log, logged } = recordingLog();
    const server = createServer({ routes, log });
    const { host, port } = await server.listen({ port: 0, host: "0.0.0.0" });
    assert.deepEqual(
      logged.map(({ level, fields }) => [level, fields?.host, fields?.port]),
      [["warn", host, port]],
    );
    assert.match(logged[0]?.message ?? "", /^cleartext where others can reach it: .*insecure: true/);
    await server.close();
  });

  it("is not warned of when cleartext is meant, or no one else can reach it", async () => {
    const { log, logged } = recordingLog();
    for (const [options, where] of [
      [{ insecure: true }, { port: 0, host: "0.0.0.0" }],
      [{}, { port: 0 }],
      [{}, { port: 0, host: "localhost" }],
      [{}, { path: join(folder, "quiet.sock") }],
    ] as const) {
      const server = createServer({ routes, log, ...options });
      await server.listen(where);
      await server.close();
    }
    assert.deepEqual(logged, []);
    assert.throws(() => createServer({ routes, insecure: "yes" as never }), /insecure is "yes"/);
  });

  it("cannot be had after close", async () => {
    const server = createServer({ routes });
    await server.close();
    await assert.rejects(server.listen({ port: 0 }), /was closed/);
  });

  it("is refused with an option no one knows", async () => {
    const server = createServer({ routes });
    await assert.rejects(server.listen({ prt: 0 } as never), /"prt"; did you mean "port"/);
    await server.close();
  });
});

describe("TLS", { skip: withoutOpenssl }, () => {
  let files: Record<"ca" | "serverKey" | "serverCert" | "clientKey" | "clientCert", Buffer>;

  before(() => {
    const authority = createAuthority();
    const server = authority.issue({ commonName: "server", names: ["DNS:localhost"] });
    const client = authority.issue({ commonName: "client", names: ["DNS:client"] });
    authority.dispose();
    files = {
      ca: authority.cert,
      serverKey: server.key,
      serverCert: server.cert,
      clientKey: client.key,
      clientCert: client.cert,
    };
  });

  async function serve(tls: NonNullable<ServerOptions["tls"]>) {
    const server = createServer({ routes, tls, log: recordingLog().log });
    const { port } = await server.listen({ port: 0 });
    return { server, port };
  }

  it("carries calls, and verifies the server's certificate", async () => {
    const { server, port } = await serve({ key: files.serverKey, cert: files.serverCert });
    for (const target of [`localhost:${port}`, `dns:///localhost:${port}`, `static:///localhost:${port}`]) {
      assert.match(await callOnce(target, { tls: { ca: files.ca } }), /^hi https:\/\/localhost:/);
    }
    const untrusting = createChannel(`localhost:${port}`, { tls: true });
    await assertStatus(createClient(EchoService, untrusting).unary({}), Code.Unavailable, /certificate/);
    await untrusting.close();
    const misnamed = createChannel(`localhost:${port}`, { tls: { ca: files.ca, servername: "other.example" } });
    await assertStatus(
      createClient(EchoService, misnamed).unary({}),
      Code.Unavailable,
      /not for other\.example, but for DNS:localhost/,
    );
    await misnamed.close();
    await server.close();
  });

  it("with a required client certificate lets in who has one, and no one else", async () => {
    const { server, port } = await serve({
      key: files.serverKey,
      cert: files.serverCert,
      ca: files.ca,
      requestCert: true,
      rejectUnauthorized: true,
    });
    const known = { ca: files.ca, cert: files.clientCert, key: files.clientKey };
    assert.match(await callOnce(`localhost:${port}`, { tls: known }), /^hi https/);
    const stranger = createChannel(`localhost:${port}`, { tls: { ca: files.ca } });
    await assertStatus(createClient(EchoService, stranger).unary({}), Code.Unavailable);
    await stranger.close();
    await server.close();
  });

  it("tells a handler what a verified certificate says, and nothing of one that was not", async () => {
    const seen: (CallInfo | undefined)[] = [];
    const noting: Interceptor = (next) => (request) => {
      seen.push(request.contextValues.get(callInfo));
      return next(request);
    };
    const known = { ca: files.ca, cert: files.clientCert, key: files.clientKey };
    const asking = { key: files.serverKey, cert: files.serverCert, requestCert: true, rejectUnauthorized: false };
    for (const [ca, tls] of [
      [files.ca, known],
      [files.ca, { ca: files.ca }],
      // An authority that did not sign the client's certificate.
      [files.serverCert, known],
    ] as const) {
      const server = createServer({ routes, tls: { ...asking, ca }, interceptors: [noting], log: recordingLog().log });
      const { port } = await server.listen({ port: 0 });
      await callOnce(`localhost:${port}`, { tls });
      await server.close();
    }
    const { dnsNames, uris, isAuthority, fingerprint } = seen[0]?.peerTls?.certificate ?? {};
    assert.deepEqual([dnsNames, uris, isAuthority], [["client"], [], false]);
    const digest = new X509Certificate(files.clientCert).fingerprint256;
    assert.equal(fingerprint, digest.replaceAll(":", "").toLowerCase());
    assert.deepEqual(
      seen.slice(1).map((info) => info?.peerTls),
      [{ certificate: undefined }, { certificate: undefined }],
    );
  });

  it("takes a renewed certificate for new connections, and keeps the old ones", async () => {
    const { server, port } = await serve({ key: files.serverKey, cert: files.serverCert });
    const tls = { ca: files.ca };
    const before = createChannel(`localhost:${port}`, { tls });
    const client = createClient(EchoService, before);
    await client.unary({});
    // Another name, so that it can be told from the first.
    server.updateTls({ key: files.clientKey, cert: files.clientCert });
    const after = createChannel(`localhost:${port}`, { tls });
    await assertStatus(createClient(EchoService, after).unary({}), Code.Unavailable, /localhost/);
    await client.unary({});
    assert.throws(
      () => server.updateTls({ key: files.serverKey, cert: files.clientCert }),
      /updateTls: tls\.key is not the private key of the certificate in tls\.cert/,
    );
    server.updateTls({ key: files.serverKey, cert: files.serverCert });
    assert.match(await callOnce(`localhost:${port}`, { tls }), /^hi https/);
    for (const channel of [before, after]) await channel.close();
    await server.close();
  });

  it("of a channel may be a function, which is asked for each connection", async () => {
    const { server, port } = await serve({ key: files.serverKey, cert: files.serverCert });
    let asked = 0;
    const tls = () => {
      asked++;
      return { ca: files.ca };
    };
    for (const times of [1, 2]) {
      assert.match(await callOnce(`localhost:${port}`, { tls }), /^hi https/);
      assert.equal(asked, times);
    }
    await server.close();
  });

  it("and cleartext do not mix: either way the call is Unavailable and the server lives", async () => {
    const { server, port } = await serve({ key: files.serverKey, cert: files.serverCert });
    const cleartext = createChannel(`localhost:${port}`);
    await assertStatus(createClient(EchoService, cleartext).unary({}), Code.Unavailable);
    await cleartext.close();
    assert.match(await callOnce(`localhost:${port}`, { tls: { ca: files.ca } }), /^hi/);
    await server.close();

    const plain = createServer({ routes, log: recordingLog().log });
    const address = await plain.listen({ port: 0 });
    const encrypted = createChannel(`localhost:${address.port}`, { tls: { ca: files.ca } });
    await assertStatus(createClient(EchoService, encrypted).unary({}), Code.Unavailable);
    await encrypted.close();
    assert.match(await callOnce(`localhost:${address.port}`), /^hi/);
    await plain.close();
  });
});

describe("HTTP/1.1 on a server's port", () => {
  it("is answered with 505 where no one serves it", async () => {
    const server = createServer({ routes });
    const { port } = await server.listen({ port: 0 });
    assert.equal((await get(port)).status, 505);
    await server.close();
  });

  it("is handed to the server that was given for it, and gRPC goes on next to it", async () => {
    const http1Server = createHttp1Server((request, response) => response.end(`served ${request.url}`));
    const server = createServer({ routes, http1Server });
    const { port } = await server.listen({ port: 0 });
    assert.deepEqual(await get(port), { status: 200, body: "served /page" });
    assert.match(await callOnce(`127.0.0.1:${port}`), /^hi/);
    await server.close();
  });

  it("nor anything else that is no HTTP/2 harms the server", async () => {
    const server = createServer({ routes });
    const { port } = await server.listen({ port: 0 });
    for (const greeting of [
      "\x16\x03\x01\x02\x00",
      "SSH-2.0-x\r\n",
      "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
      "\0".repeat(100),
    ]) {
      await new Promise<void>((resolve) => {
        const socket = connectTcp(port, "127.0.0.1", () => socket.write(greeting));
        socket.on("error", () => {});
        socket.on("close", () => resolve());
        socket.resume();
      });
    }
    assert.match(await callOnce(`127.0.0.1:${port}`), /^hi/);
    await server.close();
  });
});

function get(port: number): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const request = http1Request({ port, host: "127.0.0.1", path: "/page", agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        body += text;
      });
      response.on("end", () => resolve({ status: response.statusCode, body }));
    });
    request.on("error", reject);
    request.end();
  });
}
