// Who wants too many connections or TLS handshakes, breaks them off, or offers what HTTP/2 forbids: all before a connection is one.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect as connectNet, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { before, test } from "node:test";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { fileURLToPath } from "node:url";
import { createSelfSigned, withoutOpenssl } from "@tercel/test-support/certificates";
import { connect, createHttp2Server, type LimitEvent, type ListenAddress } from "../src/index.ts";
import { createFaultProxy } from "../src/testing/index.ts";
import { ask, echo, local, portOf, withConnection, withServer } from "./echo-server.ts";
import { patterned } from "./example-fields.ts";

let certificate: { key: Buffer; cert: Buffer };
before(() => {
  if (withoutOpenssl === false) certificate = createSelfSigned();
});

const needsTls = { skip: withoutOpenssl };

function trusting(certificates: Buffer | readonly Buffer[]): { tls: { ca: Buffer[]; servername: string } } {
  return { tls: { ca: [certificates].flat(), servername: "localhost" } };
}

async function open(address: ListenAddress): Promise<Socket> {
  const socket = connectNet(address as { host: string; port: number });
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });
}

async function leave(socket: Socket): Promise<void> {
  socket.destroy();
  await closed(socket);
}

/** Whether a new connection gets its answer. */
async function isServed(address: ListenAddress): Promise<boolean> {
  let bytes = 0;
  await withConnection(address, {}, async (connection) => {
    bytes = (await ask(connection, patterned(5))).body.length;
  });
  return bytes === 5;
}

/** Writes down what limits were exceeded. */
function recorder() {
  const exceeded: string[] = [];
  return {
    exceeded,
    onLimit: ({ limit, action }: LimitEvent) => {
      exceeded.push(`${limit} ${action}`);
    },
  };
}

test("refuses connections over the limit, serves those it has, and takes another when one has left", async () => {
  const { exceeded, onLimit } = recorder();
  await withServer({ maxConnections: 3, onLimit }, local, async (address) => {
    await withConnection(address, {}, async (connection) => {
      const others = [await connect(address, {}, {}), await connect(address, {}, {})];
      for (const other of others) await other.ping();
      for (let i = 0; i < 20; i++) await closed(await open(address));
      assert.deepEqual(exceeded, new Array(20).fill("connections refused"));
      assert.equal((await ask(connection, patterned(5))).body.length, 5);
      others[0]?.close();
      // The server hears of that in its own time.
      while (!(await isServed(address))) await connection.ping();
      others[1]?.close();
    });
  });
});

const ownAddress = Object.values(networkInterfaces())
  .flat()
  .find((entry) => entry?.family === "IPv4" && !entry.internal)?.address;

test("refuses connections over the limit of one address, and takes those of others", {
  skip: ownAddress === undefined ? "this machine has no address but loopback" : false,
}, async () => {
  const { exceeded, onLimit } = recorder();
  await withServer({ maxConnectionsPerAddress: 2, onLimit }, { host: "0.0.0.0", port: 0 }, async (address) => {
    const port = portOf(address);
    const first = { host: ownAddress as string, port };
    const taken = [await connect(first, {}, {}), await connect(first, {}, {})];
    for (const connection of taken) await connection.ping();
    await closed(await open(first));
    assert.deepEqual(exceeded, ["connections_per_address refused"]);
    await withConnection({ host: "127.0.0.1", port }, {}, async (connection) => {
      assert.equal((await ask(connection, patterned(5))).body.length, 5);
    });
    for (const connection of taken) connection.close();
  });
});

test("takes a thousand connections of this machine, where a proxy may stand for many peers", async () => {
  const { exceeded, onLimit } = recorder();
  await withServer({ onLimit }, local, async (address) => {
    const sockets = await Promise.all(Array.from({ length: 1000 }, () => open(address)));
    await withConnection(address, {}, async (connection) => {
      assert.equal((await ask(connection, patterned(5))).body.length, 5);
    });
    assert.deepEqual(exceeded, []);
    await Promise.all(sockets.map(leave));
  });
});

test("shakes hands with 300 clients that come at once", needsTls, async () => {
  // Both ends compute in this process, and 600 handshakes take a busy machine longer than either end would wait.
  const patientMs = 120_000;
  const limits = { life: { handshakeTimeoutMs: patientMs, settingsAckTimeoutMs: patientMs } };
  await withServer({ tls: certificate, maxTlsHandshakes: 8, limits }, local, async (address, server) => {
    const options = { ...trusting(certificate.cert), connectTimeoutMs: patientMs, limits };
    const connections = await Promise.all(Array.from({ length: 300 }, () => connect(address, {}, options)));
    await Promise.all(connections.map((connection) => connection.ping()));
    assert.equal(server.openHandshakes, 0);
    for (const connection of connections) connection.close();
  });
});

test("ends a TLS handshake that takes too long, and one that waits too long for its turn", needsTls, async () => {
  const limits = { life: { handshakeTimeoutMs: 50 } };
  await withServer({ tls: certificate, maxTlsHandshakes: 1, limits }, local, async (address, server) => {
    const silent = await Promise.all(Array.from({ length: 5 }, () => open(address)));
    await Promise.all(silent.map(closed));
    assert.equal(server.openHandshakes, 0);
  });
});

test("bears a client that resets its TLS handshake at any byte", needsTls, async () => {
  await withServer({ tls: certificate }, local, async (address, server) => {
    const proxy = await createFaultProxy({ target: address });
    try {
      let broken = 0;
      for (let bytes = 1; bytes < 700; bytes += bytes < 16 ? 1 : 7) {
        proxy.options.toServer = { after: { bytes, fault: "reset" } };
        await connect(proxy.address, {}, trusting(certificate.cert)).then(
          (connection) => connection.close(),
          () => broken++,
        );
      }
      // Node 24's handshake is not through after 700 bytes; Node 22's, whose keys are shorter, is after 280.
      assert.ok(broken > 50, `only ${broken} handshakes broke`);
    } finally {
      await proxy.close();
    }
    await withConnection(address, trusting(certificate.cert), async (connection) => {
      assert.equal((await ask(connection, patterned(5))).body.length, 5);
    });
    assert.equal(server.openHandshakes, 0);
  });
});

function dial(address: ListenAddress, options: ConnectionOptions): TLSSocket {
  const socket = connectTls({ ...address, ...trusting(certificate.cert).tls, ...options } as ConnectionOptions);
  socket.on("error", () => {});
  return socket;
}

test("closes a TLS connection that names no protocol", needsTls, async () => {
  await withServer({ tls: certificate }, local, async (address) => {
    const socket = dial(address, {});
    socket.resume();
    await closed(socket);
    assert.equal(socket.alpnProtocol, false);
  });
});

for (const [version, ciphers, isTaken] of [
  ["TLSv1.3", undefined, true],
  ["TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256", true],
  ["TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384", true],
  ["TLSv1.2", "ECDHE-ECDSA-CHACHA20-POLY1305", true],
  ["TLSv1.2", "ECDHE-ECDSA-AES128-SHA256", false],
  ["TLSv1.2", "ECDHE-ECDSA-AES256-SHA", false],
  ["TLSv1.1", "ECDHE-ECDSA-AES256-SHA:@SECLEVEL=0", false],
] as const) {
  test(`${isTaken ? "takes" : "refuses"} ${version} with ${ciphers ?? "any cipher"}`, needsTls, async () => {
    await withServer({ tls: certificate }, local, async (address) => {
      const socket = dial(address, {
        ALPNProtocols: ["h2"],
        minVersion: version,
        maxVersion: version,
        ...(ciphers === undefined ? {} : { ciphers }),
      });
      const taken = await Promise.race([
        new Promise((resolve) => socket.once("secureConnect", () => resolve(true))),
        closed(socket).then(() => false),
      ]);
      assert.equal(taken, isTaken);
      await leave(socket);
    });
  });
}

test("does not renegotiate", needsTls, async () => {
  await withServer({ tls: certificate }, local, async (address) => {
    const socket = dial(address, { ALPNProtocols: ["h2"], maxVersion: "TLSv1.2" });
    await once(socket, "secureConnect");
    socket.renegotiate({}, () => {});
    const [error] = (await once(socket, "error")) as [Error];
    assert.match(error.message, /no renegotiation/);
    await leave(socket);
  });
});

test("uses another certificate for new handshakes, and keeps the connections of the old one", needsTls, async () => {
  const renewed = createSelfSigned();
  await withServer({ tls: certificate }, local, async (address, server) => {
    await withConnection(address, trusting(certificate.cert), async (before) => {
      assert.throws(() => server.updateTls({ key: renewed.key, cert: "no certificate" }));
      await withConnection(address, trusting(certificate.cert), async (same) => {
        assert.equal((await ask(same, patterned(5))).body.length, 5);
      });
      server.updateTls(renewed);
      await assert.rejects(connect(address, {}, trusting(certificate.cert)));
      await withConnection(address, trusting(renewed.cert), async (after) => {
        for (const connection of [before, after]) {
          assert.equal((await ask(connection, patterned(5))).body.length, 5);
        }
      });
      const socket = dial(address, { ca: renewed.cert, ALPNProtocols: ["http/1.1"] });
      await closed(socket);
    });
  });
  await withServer({}, local, async (_address, server) => {
    assert.throws(() => server.updateTls(renewed), /without TLS/);
  });
});

test("goes on listening when the system has no file handles left", {
  skip: process.platform === "win32" ? "Windows knows no limit of file handles" : false,
}, async () => {
  const program = fileURLToPath(new URL("few-handles.ts", import.meta.url));
  const node = [process.execPath, ...process.execArgv.filter((given) => given.startsWith("--conditions")), program];
  const child = spawn("sh", ["-c", `ulimit -n 64; exec ${node.map((word) => `'${word}'`).join(" ")}`], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  try {
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const address = { host: "127.0.0.1", port: Number(line.toString()) };
    await withConnection(address, {}, async (connection) => {
      const sockets = await Promise.all(Array.from({ length: 200 }, () => open(address)));
      // The system has completed them all; the server holds what it has handles for and drops the rest.
      const dropped = sockets.slice(100).map((socket) => closed(socket.resume()));
      await Promise.all(dropped);
      assert.equal((await ask(connection, patterned(5))).body.length, 5);
      await Promise.all(sockets.map(leave));
      await connection.ping();
      await withConnection(address, {}, async (another) => {
        assert.equal((await ask(another, patterned(5))).body.length, 5);
      });
    });
  } finally {
    child.stdin.end();
    await exited;
  }
});

test("refuses to begin with a certificate that does not fit its key", needsTls, () => {
  const other = createSelfSigned();
  assert.throws(() => createHttp2Server({ onStream: echo, tls: { key: other.key, cert: certificate.cert } }));
});
