import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttp1Server, get } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, connect as connectNet, createServer as createNetServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, it, type TestContext } from "node:test";
import {
  connect as connectTls,
  createServer as createTlsServer,
  type ConnectionOptions as TlsClientOptions,
} from "node:tls";
import { Code, createClient } from "@connectrpc/connect";
import { type ChannelOptions, createChannel, createServer, type ServerOptions } from "@tercel/grpc";
import { assertStatus, createFakeClock } from "@tercel/grpc/testing";
import { createAuthority, type KeyPair, withoutOpenssl } from "@tercel/test-support/certificates";
import { startGoPeer, withoutGo } from "@tercel/test-support/peers";
import { EchoService } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { echoRoutes, recordingLog } from "./support/open-echo.ts";

let ca: Buffer;
let pair: KeyPair;

before(() => {
  if (withoutOpenssl) return;
  const authority = createAuthority();
  ca = authority.cert;
  pair = authority.issue({ names: ["DNS:localhost"] });
  authority.dispose();
});

/** Listens with a server of another making, and returns its port. */
async function listen(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<{ destroy(): void }>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  return (server.address() as AddressInfo).port;
}

/** Fails unless a call to the port is Unavailable for this reason. */
async function assertRefused(t: TestContext, port: number, options: ChannelOptions, reason: RegExp): Promise<void> {
  const channel = createChannel(`localhost:${port}`, { defaultTimeoutMs: 10_000, log: recordingLog().log, ...options });
  t.after(() => channel.close());
  const error = await assertStatus(createClient(EchoService, channel).unary({}), Code.Unavailable, reason);
  assert.doesNotMatch(error.rawMessage, /bytes|bytes|frame|routines/);
}

describe("a client in cleartext", () => {
  it("quotes the status line of a server that speaks HTTP/1.1", async (t) => {
    const port = await listen(t, createHttp1Server());
    await assertRefused(t, port, {}, /: the server responded with HTTP\/1\.1 \(HTTP\/1\.1 400 Bad Request\)/);
  });

  it("quotes it although it comes byte by byte", async (t) => {
    const port = await listen(
      t,
      createNetServer({ noDelay: true }, (socket) => {
        const line = [..."HTTP/1.1 426 Upgrade Required\r\n\r\n"];
        const send = (): void => {
          const next = line.shift();
          if (next !== undefined) socket.write(next, () => setImmediate(send));
        };
        send();
      }),
    );
    await assertRefused(t, port, {}, /HTTP\/1\.1 \(HTTP\/1\.1 426 Upgrade Required\)/);
  });

  it("shows what a server of another protocol says", async (t) => {
    const port = await listen(
      t,
      createNetServer((socket) => void socket.write("SSH-2.0-OpenSSH_9.6\r\n")),
    );
    await assertRefused(t, port, {}, /the server does not speak HTTP\/2: it sent "SSH-2\.0-OpenSSH_9\.6/);
  });

  it("suspects TLS where the server closes without a word, or with an alert", { skip: withoutOpenssl }, async (t) => {
    const silent = await listen(t, createTlsServer(pair));
    await assertRefused(t, silent, {}, /closed the connection before it sent anything; it may speak TLS on this port/);
    const alerting = await listen(
      t,
      createNetServer((socket) => void socket.once("data", () => socket.end("\x15\x03\x01\0\x02\x02\x46"))),
    );
    await assertRefused(t, alerting, {}, /the server responded with TLS/);
  });
});

describe("a client with TLS", { skip: withoutOpenssl }, () => {
  it("says that the server speaks cleartext", async (t) => {
    for (const server of [createHttp1Server(), createHttp2Server()]) {
      const port = await listen(t, server as Server);
      await assertRefused(
        t,
        port,
        { tls: { ca } },
        /responded to the TLS handshake in cleartext: it does not speak TLS/,
      );
    }
    const plain = createServer({ routes: echoRoutes({}), log: recordingLog().log });
    t.after(() => plain.close({ deadlineMs: 0 }));
    const { port } = await plain.listen({ port: 0 });
    await assertRefused(t, port, { tls: { ca } }, /responded to the TLS handshake in cleartext/);
  });

  it("says that a server closes during the handshake", async (t) => {
    const port = await listen(
      t,
      createNetServer((socket) => socket.destroy()),
    );
    await assertRefused(
      t,
      port,
      { tls: { ca } },
      /closed the connection during the TLS handshake: it may not speak TLS/,
    );
  });

  it("says that the server has no HTTP/2, whether it refuses ALPN or knows none", async (t) => {
    const https = await listen(t, createHttpsServer(pair));
    await assertRefused(t, https, { tls: { ca } }, /the server does not speak HTTP\/2 over TLS: it refused ALPN h2/);
    const old = await listen(t, createTlsServer(pair));
    await assertRefused(
      t,
      old,
      { tls: { ca } },
      /the server does not speak HTTP\/2 over TLS: it did not choose ALPN h2/,
    );
  });

  it("suspects a missing client certificate where the server closes after the handshake", async (t) => {
    const tls = { ...pair, ca, requestCert: true, rejectUnauthorized: true };
    const server = createServer({ routes: echoRoutes({}), tls, log: recordingLog().log });
    t.after(() => server.close({ deadlineMs: 0 }));
    const { port } = await server.listen({ port: 0 });
    await assertRefused(t, port, { tls: { ca } }, /it may require a client certificate/);
  });
});

describe("a server's log says why a client could not connect", () => {
  /** A server, its log, and a wait for the next line in it. */
  async function serve(t: TestContext, options: Partial<ServerOptions> = {}) {
    const { log, logged } = recordingLog();
    const lines: (() => void)[] = [];
    const warn: typeof log.warn = (...line) => {
      log.warn(...line);
      lines.shift()?.();
    };
    const server = createServer({ routes: echoRoutes({}), log: { ...log, warn }, ...options });
    t.after(() => server.close({ deadlineMs: 0 }));
    const { port } = await server.listen({ port: 0 });
    const nextLine = (): Promise<void> => new Promise((resolve) => lines.push(resolve));
    const reasons = (): unknown[] => logged.map(({ fields }) => fields.reason);
    return { port, logged, reasons, nextLine };
  }

  function send(t: TestContext, port: number, text: string): void {
    const socket = connectNet(port, "127.0.0.1").on("error", () => {});
    socket.write(text);
    socket.resume();
    t.after(() => socket.destroy());
  }

  function shakeHands(t: TestContext, port: number, options: TlsClientOptions = {}): void {
    const socket = connectTls({ port, host: "127.0.0.1", ca, servername: "localhost", ...options });
    socket.on("error", () => {});
    t.after(() => socket.destroy());
  }

  it("on a cleartext port: TLS, HTTP/1.1, and what is neither", async (t) => {
    const { port, logged, reasons, nextLine } = await serve(t);
    let line = nextLine();
    shakeHands(t, port);
    await line;
    line = nextLine();
    get({ port, host: "127.0.0.1" }, (response) => response.resume()).on("error", () => {});
    await line;
    line = nextLine();
    send(t, port, "SSH-2.0-OpenSSH_9.6\r\n");
    await line;
    assert.deepEqual(reasons(), [
      "the client sent a TLS handshake to a cleartext port",
      "the client speaks HTTP/1.1, which is not served here",
      "the client does not speak HTTP/2",
    ]);
    assert.equal(logged[0]?.message, "a client could not connect");
    assert.equal(logged[0]?.fields.peer, "127.0.0.1");
  });

  it("on a TLS port: cleartext, no common protocol, and certificates", { skip: withoutOpenssl }, async (t) => {
    const { port, reasons, nextLine } = await serve(t, { tls: { ...pair, ca, requestCert: true } });
    const attempts: (() => void)[] = [
      () => send(t, port, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
      () => send(t, port, "GET / HTTP/1.1\r\n\r\n"),
      () => shakeHands(t, port, { ALPNProtocols: ["http/1.1"], ...pair }),
      () => shakeHands(t, port, { ...pair }),
      () => shakeHands(t, port, { ALPNProtocols: ["h2"] }),
      () => shakeHands(t, port, { ALPNProtocols: ["h2"], maxVersion: "TLSv1.2", ciphers: "AES128-SHA", ...pair }),
    ];
    for (const attempt of attempts) {
      const line = nextLine();
      attempt();
      await line;
    }
    assert.deepEqual(reasons(), [
      "the client sent cleartext to a TLS port",
      "the client sent an HTTP request in cleartext to a TLS port",
      "the client does not speak HTTP/2 over TLS: it did not offer ALPN h2",
      "the client does not speak HTTP/2 over TLS: it did not offer ALPN h2",
      "the client sent no certificate, and one is required",
      "the TLS handshake failed: no shared cipher",
    ]);
  });

  it("a client that does not accept the server's certificate", { skip: withoutOpenssl || withoutGo }, async (t) => {
    const { port, reasons, nextLine } = await serve(t, { tls: pair });
    const line = nextLine();
    const stranger = createAuthority("Another CA");
    const folder = mkdtempSync(join(tmpdir(), "tercel-wrong-protocol-"));
    t.after(() => rmSync(folder, { recursive: true }));
    stranger.dispose();
    writeFileSync(join(folder, "ca.pem"), stranger.cert);
    const peer = startGoPeer(t, "health-check", ["-target", `localhost:${port}`, "-ca", join(folder, "ca.pem")]);
    await line;
    assert.match(String(reasons()[0]), /^the client refused the server's certificate: .*(bad certificate|unknown ca)/);
    assert.equal(JSON.parse(await peer.line()).code, "Unavailable");
  });

  it("ten times a minute at most, with the number of those that were left out", async (t) => {
    const clock = createFakeClock();
    const { port, logged, nextLine } = await serve(t, { clock });
    for (let at = 0; at < 10; at++) {
      const line = nextLine();
      send(t, port, "SSH-2.0\r\n");
      await line;
    }
    // Answered with GOAWAY, in order of arrival: when the second is, the first has not been logged.
    for (let at = 0; at < 2; at++) {
      const socket = connectNet(port, "127.0.0.1");
      socket.write("SSH-2.0\r\n");
      await once(socket, "data");
      socket.destroy();
    }
    assert.equal(logged.length, 10);
    await clock.advance(60_000);
    const line = nextLine();
    send(t, port, "SSH-2.0\r\n");
    await line;
    assert.equal(logged.length, 11);
    assert.equal(logged[10]?.fields.suppressed, 2);
  });

  it("not at all for a peer that only opens and closes the port", { skip: withoutOpenssl }, async (t) => {
    const { port, logged } = await serve(t, { tls: pair });
    const socket = connectNet(port, "127.0.0.1");
    await once(socket, "connect");
    socket.destroy();
    await once(socket, "close");
    const channel = createChannel(`localhost:${port}`, { tls: { ca }, defaultTimeoutMs: 10_000 });
    t.after(() => channel.close());
    await assertStatus(createClient(EchoService, channel).unary({}), Code.Unimplemented);
    assert.deepEqual(logged, []);
  });
});
