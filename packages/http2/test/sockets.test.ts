// Both roles on real sockets, with each other and with Node's own HTTP/2: cleartext, TLS and a unix socket.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttp1Server, request as requestHttp1 } from "node:http";
import * as nodeHttp2 from "node:http2";
import { connect as connectNet, createServer as createNetServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { createSelfSigned, withoutOpenssl } from "@tercel/test-support/certificates";
import {
  type ConnectOptions,
  connect,
  createHttp2Server,
  ErrorCode,
  Http2Error,
  type ListenAddress,
} from "../src/index.ts";
import {
  buildFrame,
  createSocketPeer,
  RecordedEvents,
  RecordedStream,
  type ScriptedPeer,
} from "../src/testing/index.ts";
import { ask, echo, local, portOf, withConnection, withServer } from "./echo-server.ts";
import { ok, patterned, post } from "./example-fields.ts";

let certificate: { key: Buffer; cert: Buffer };
before(() => {
  if (withoutOpenssl === false) certificate = createSelfSigned();
});

const transports: readonly [what: string, tls: boolean, unix: boolean][] = [
  ["cleartext", false, false],
  ["TLS", true, false],
  ["a unix socket", false, true],
];

for (const [what, tls, unix] of transports) {
  describe(`over ${what}`, { skip: tls && withoutOpenssl }, () => {
    let folder: string | undefined;

    async function within(run: (address: ListenAddress, options: ConnectOptions) => Promise<void>): Promise<void> {
      folder = unix ? mkdtempSync(join(tmpdir(), "http2-socket-")) : undefined;
      try {
        const address = folder === undefined ? local : { path: join(folder, "socket") };
        const client: ConnectOptions = tls ? { tls: { ca: certificate.cert, servername: "localhost" } } : {};
        await withServer(tls ? { tls: certificate } : {}, address, (bound) => run(bound, client));
      } finally {
        if (folder !== undefined) rmSync(folder, { recursive: true });
      }
    }

    test("carries requests of every size between our client and our server", () =>
      within(async (address, options) => {
        await withConnection(address, options, async (connection) => {
          for (const bytes of [0, 1, 16_384, 16_385, 65_536, 3_000_000]) {
            const response = await ask(connection, patterned(bytes));
            assert.equal(response.response?.status, 200);
            assert.ok(response.body.equals(patterned(bytes)), `${bytes} bytes`);
            assert.deepEqual(response.trailers?.fields, ["x-length", String(bytes)]);
          }
        });
      }));

    test("carries many requests at once on two connections", () =>
      within(async (address, options) => {
        await Promise.all(
          [1, 2].map((n) =>
            withConnection(address, options, async (connection) => {
              const bodies = Array.from({ length: 50 }, (_, i) => patterned(n * 1000 + i * 777));
              const responses = await Promise.all(bodies.map((body) => ask(connection, body)));
              responses.forEach((response, i) => {
                assert.ok(response.body.equals(bodies[i] as Buffer));
              });
            }),
          ),
        );
      }));

    test("answers 1000 pings one after the other", () =>
      within(async (address, options) => {
        await withConnection(address, options, async (connection) => {
          for (let i = 0; i < 1000; i++) await connection.ping();
        });
      }));

    test("drains at both ends without an error", () =>
      within(async (address, options) => {
        const events = new RecordedEvents();
        let closed: () => void = () => {};
        const whenClosed = new Promise<void>((resolve) => {
          closed = resolve;
        });
        const connection = await connect(address, { onGoaway: (g) => events.onGoaway(g), onClose: (e) => { events.onClose(e); closed(); } }, options); // biome-ignore format: short
        const response = ask(connection, patterned(100_000));
        connection.drain();
        assert.equal((await response).body.length, 100_000);
        await whenClosed;
        assert.deepEqual([events.closes, events.closeError], [1, undefined]);
      }));
  });
}

for (const tls of [false, true]) {
  const over = tls ? "TLS" : "cleartext";

  test(`serves Node's own client over ${over}`, { skip: tls && withoutOpenssl }, async () => {
    await withServer(tls ? { tls: certificate } : {}, local, async (address) => {
      const url = `${tls ? "https" : "http"}://localhost:${portOf(address)}`;
      const session = nodeHttp2.connect(url, {
        ...(tls ? { ca: certificate.cert } : {}),
        host: "127.0.0.1",
      } as nodeHttp2.SecureClientSessionOptions);
      try {
        const answers = await Promise.all(
          [0, 10, 500_000].map(async (bytes) => {
            const stream = session.request({
              ":method": "POST",
              ":path": "/",
              "x-large": "y".repeat(bytes === 10 ? 9000 : 1),
            });
            const trailers = once(stream, "trailers");
            stream.end(patterned(bytes));
            const chunks: Buffer[] = [];
            for await (const chunk of stream) chunks.push(chunk as Buffer);
            const [fields] = (await trailers) as [nodeHttp2.IncomingHttpHeaders];
            assert.equal(fields["x-length"], String(bytes));
            return Buffer.concat(chunks);
          }),
        );
        assert.deepEqual(answers.map((answer) => answer.length), [0, 10, 500_000]); // biome-ignore format: short
        assert.ok(answers[2]?.equals(patterned(500_000)));
      } finally {
        session.close();
        await once(session, "close");
      }
    });
  });

  test(`asks Node's own server over ${over}`, { skip: tls && withoutOpenssl }, async () => {
    const server = tls ? nodeHttp2.createSecureServer(certificate) : nodeHttp2.createServer();
    server.on("stream", (stream: nodeHttp2.ServerHttp2Stream) => {
      stream.respond({ ":status": 200 }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "x-trailer": "t" }));
      stream.pipe(stream);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address: ListenAddress = { host: "127.0.0.1", port: (server.address() as { port: number }).port };
    try {
      await withConnection(
        address,
        tls ? { tls: { ca: certificate.cert, servername: "localhost" } } : {},
        async (connection) => {
          for (const bytes of [1, 500_000]) {
            const response = await ask(connection, patterned(bytes));
            assert.ok(response.body.equals(patterned(bytes)));
            assert.deepEqual(response.trailers?.fields, ["x-trailer", "t"]);
          }
          await connection.ping();
        },
      );
    } finally {
      server.close();
      await once(server, "close");
    }
  });
}

/** Plays a client on a real socket. */
async function withPeer(
  address: ListenAddress,
  run: (peer: ScriptedPeer, socket: Socket) => Promise<void>,
): Promise<void> {
  const socket = connectNet(address as { host: string; port: number });
  await once(socket, "connect");
  const peer = createSocketPeer(socket, "client");
  try {
    await run(peer, socket);
  } finally {
    socket.destroy();
    await peer.whenClosed();
  }
}

test("takes the preface byte by byte", async () => {
  await withServer({}, local, async (address) => {
    await withPeer(address, async (peer, socket) => {
      socket.setNoDelay(true);
      peer.sliceBytes = 1;
      peer.sendPreface();
      await peer.shakeHands();
      peer.sendHeaders(1, post, { endStream: true });
      assert.deepEqual((await peer.nextOf("HEADERS")).fields, ok);
    });
  });
});

test("tells a peer that speaks neither HTTP/2 nor HTTP/1.1 by GOAWAY, and closes", async () => {
  await withServer({}, local, async (address) => {
    for (const rubbish of ["\x16\x03\x01\x02\0", "PRI * HTTP/2.0\r\n\r\nXX", "hello\r\n"]) {
      await withPeer(address, async (peer) => {
        peer.sendRaw(rubbish);
        await peer.expectGoaway(ErrorCode.protocolError, /preface/);
        await peer.whenClosed();
      });
    }
  });
});

function http1Get(port: number): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const request = requestHttp1({ host: "127.0.0.1", port, path: "/old", agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode, body }));
    });
    request.on("error", reject);
    request.end();
  });
}

test("answers 505 to HTTP/1.1 when there is no server for that", async () => {
  await withServer({}, local, async (address) => {
    const { status, body } = await http1Get(portOf(address));
    assert.equal(status, 505);
    assert.match(body, /HTTP\/2/);
  });
});

test("hands HTTP/1.1 to a server for that on the same port, whatever bytes come first", async () => {
  const http1Server = createHttp1Server((request, response) => response.end(`${request.method} ${request.url}`));
  await withServer({ http1Server }, local, async (address) => {
    assert.deepEqual(await http1Get(portOf(address)), { status: 200, body: "GET /old" });
    await withConnection(address, {}, async (connection) => {
      assert.equal((await ask(connection, patterned(5))).body.length, 5);
    });
    const socket = connectNet(portOf(address), "127.0.0.1");
    socket.setNoDelay(true);
    for (const byte of "GET /slow HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n") socket.write(byte);
    let answer = "";
    for await (const chunk of socket) answer += String(chunk);
    assert.match(answer, /GET \/slow$/);
  });
});

test("chooses HTTP/1.1 or HTTP/2 by ALPN, and refuses others in the handshake", {
  skip: withoutOpenssl,
}, async () => {
  const http1Server = createHttp1Server((_request, response) => response.end("old"));
  await withServer({ tls: certificate, http1Server }, local, async (address) => {
    for (const [offered, chosen] of [
      [["h2", "http/1.1"], "h2"],
      [["http/1.1"], "http/1.1"],
    ] as const) {
      // biome-ignore format: a table
      const socket = connectTls({ ...address, ca: certificate.cert, servername: "localhost", ALPNProtocols: [...offered] } as ConnectionOptions);
      await once(socket, "secureConnect");
      assert.equal(socket.alpnProtocol, chosen);
      socket.destroy();
      await once(socket, "close");
    }
    const socket = connectTls({
      ...address,
      ca: certificate.cert,
      servername: "localhost",
      ALPNProtocols: ["spdy/3"],
    } as ConnectionOptions);
    await assert.rejects(once(socket, "secureConnect"));
  });
});

test("does not speak with a TLS server that does not agree to HTTP/2", { skip: withoutOpenssl }, async () => {
  const server = (await import("node:tls")).createServer({ ...certificate, ALPNProtocols: ["http/1.1"] }, (socket) =>
    socket.resume(),
  );
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = { host: "127.0.0.1", port: (server.address() as { port: number }).port };
  await assert.rejects(connect(address, {}, { tls: { ca: certificate.cert, servername: "localhost" } }), Http2Error);
  server.close();
  await once(server, "close");
});

test("rejects with the system's error as the cause when no one listens", async () => {
  const server = createNetServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  await assert.rejects(connect({ host: "127.0.0.1", port }, {}), (error: unknown) => {
    assert.ok(error instanceof Http2Error);
    assert.equal((error.cause as { code?: string }).code, "ECONNREFUSED");
    return true;
  });
});

test("tells the system's error as the cause when the peer cuts a connection off in the middle of a request", async () => {
  const server = createNetServer((socket) => socket.once("data", () => socket.resetAndDestroy()));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = { host: "127.0.0.1", port: (server.address() as { port: number }).port };
  const closed = new Promise<Http2Error | undefined>((resolve, reject) => {
    connect(address, { onClose: resolve }).then(
      (connection) => connection.request(post, [], false, new RecordedStream()),
      reject,
    );
  });
  const error = await closed;
  assert.equal((error?.cause as { code?: string } | undefined)?.code, "ECONNRESET");
  server.close();
  await once(server, "close");
});

test("rejects when the attempt is given up, before it began or after", async () => {
  await withServer({}, local, async (address) => {
    await assert.rejects(connect(address, {}, { signal: AbortSignal.abort() }), Http2Error);
    const later = new AbortController();
    const attempt = connect(address, {}, { signal: later.signal });
    later.abort();
    await assert.rejects(attempt, Http2Error);
  });
});

test("rejects to listen on an address that is taken", async () => {
  await withServer({}, local, async (address) => {
    await assert.rejects(createHttp2Server({ onStream: echo }).listen(address), { code: "EADDRINUSE" });
  });
});

test("reports a connection that is reset in the middle of a request, and serves the others", async () => {
  await withServer({}, local, async (address, server) => {
    await withConnection(address, {}, async (connection) => {
      await withPeer(address, async (peer, socket) => {
        peer.sendPreface();
        await peer.shakeHands();
        peer.sendHeaders(1, post);
        await peer.expectNothingMore();
        assert.equal(server.openConnections, 2);
        socket.resetAndDestroy();
      });
      assert.equal((await ask(connection, patterned(3))).body.length, 3);
    });
  });
});

test("bears a peer that is gone at every byte of the handshake", async () => {
  await withServer({}, local, async (address) => {
    const opening = Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), buildFrame({ type: 4 })]);
    for (let bytes = 0; bytes <= opening.length; bytes++) {
      const socket = connectNet(portOf(address), "127.0.0.1");
      await once(socket, "connect");
      await new Promise((resolve) => socket.write(opening.subarray(0, bytes), resolve));
      socket.resetAndDestroy();
      await once(socket, "close");
    }
    await withConnection(address, {}, async (connection) => {
      assert.equal((await ask(connection, patterned(3))).body.length, 3);
    });
  });
});

test("ends the connection of a real peer that pings without reading, and no other", async () => {
  await withServer({}, local, async (address) => {
    await withConnection(address, {}, async (connection) => {
      await withPeer(address, async (peer, socket) => {
        peer.sendPreface();
        await peer.shakeHands();
        // What comes back is left in the kernel until both ends hold all they can.
        socket.pause();
        const flood = Buffer.concat(
          Array.from({ length: 60_000 }, () => buildFrame({ type: 6, payload: Buffer.alloc(8) })),
        );
        let isStopped = false;
        for (let i = 0; i < 100 && !isStopped; i++) {
          const isOver = new Promise<boolean>((resolve) => {
            socket.write(flood, (error) => resolve(error !== undefined && error !== null));
            setImmediate(() => setImmediate(() => resolve(socket.writableLength > 20 * flood.length)));
          });
          isStopped = (await isOver) || socket.destroyed;
        }
        assert.ok(isStopped, "the server stopped reading or closed");
        assert.equal((await ask(connection, patterned(3))).body.length, 3);
      });
    });
  });
});

test("drains every connection on close, and serves what was under way to its end", async () => {
  let answer: () => void = () => {};
  const server = createHttp2Server({
    onStream: (stream) => {
      stream.listener = new RecordedStream();
      answer = () => stream.sendHeaders(ok, true);
    },
  });
  await server.listen(local);
  const address = server.address as ListenAddress;
  await withConnection(address, {}, async (connection) => {
    const response = ask(connection, new Uint8Array(0));
    await connection.ping();
    const closed = server.close(60_000);
    const again = server.close(60_000);
    await connection.ping();
    answer();
    assert.deepEqual((await response).log, ["head 200", "end"]);
    await Promise.all([closed, again]);
    assert.equal(server.openConnections, 0);
  });
});

test("cuts off what is left when the time to close is up", async () => {
  const server = createHttp2Server({
    onStream: (stream) => {
      stream.listener = new RecordedStream();
    },
  });
  await server.listen(local);
  await withConnection(server.address as ListenAddress, {}, async (connection) => {
    const response = ask(connection, new Uint8Array(0));
    await connection.ping();
    await server.close(0);
    assert.deepEqual((await response).log, ["reset"]);
  });
});
