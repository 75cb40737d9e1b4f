// Peers that connect and then send nothing, or not enough: what they hold must not be missing to others.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectNet, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { duplexPair } from "node:stream";
import { before, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { createSelfSigned, withoutOpenssl } from "@tercel/test-support/certificates";
import { type ConnectOptions, connect, type LimitEvent, type ListenAddress } from "../src/index.ts";
import { createFaultProxy, FakeClock } from "../src/testing/index.ts";
import { ask, local, portOf, withConnection, withServer } from "./echo-server.ts";
import { patterned } from "./example-fields.ts";

let certificate: { key: Buffer; cert: Buffer };
let clientHello: Buffer;
before(async () => {
  if (withoutOpenssl !== false) return;
  certificate = createSelfSigned();
  clientHello = await readClientHello();
});

const needsTls = { skip: withoutOpenssl };

function trusting(): ConnectOptions {
  return { tls: { ca: [certificate.cert], servername: "localhost" } };
}

/** What a client of TLS sends first. */
async function readClientHello(): Promise<Buffer> {
  const [wire, end] = duplexPair();
  const client = connectTls({ socket: wire, servername: "localhost", ALPNProtocols: ["h2"] });
  client.on("error", () => {});
  const [bytes] = (await once(end, "data")) as [Buffer];
  client.destroy();
  return bytes;
}

/** The same listener, connected to from another of this machine's addresses. */
function from(localAddress: string, address: ListenAddress): ListenAddress {
  return Object.assign({ localAddress }, address);
}

async function open(address: ListenAddress, bytes?: Uint8Array): Promise<Socket> {
  const socket = connectNet(address as { host: string; port: number });
  socket.on("error", () => {}).resume();
  await once(socket, "connect");
  if (bytes !== undefined) socket.write(bytes);
  return socket;
}

function openMany(count: number, address: ListenAddress, bytes?: Uint8Array): Promise<Socket[]> {
  return Promise.all(Array.from({ length: count }, () => open(address, bytes)));
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });
}

async function leave(sockets: readonly Socket[]): Promise<void> {
  for (const socket of sockets) socket.destroy();
  await Promise.all(sockets.map(closed));
}

async function isServed(address: ListenAddress, options: ConnectOptions): Promise<void> {
  await withConnection(address, options, async (connection) => {
    assert.equal((await ask(connection, patterned(5))).body.length, 5);
  });
}

/** Counts exceeded limits; `reached` resolves when one has been exceeded so often. */
function recorder() {
  const counts = new Map<string, number>();
  let wake = (): void => {};
  return {
    counts,
    onLimit({ limit, action }: LimitEvent): void {
      const name = `${limit} ${action}`;
      counts.set(name, (counts.get(name) ?? 0) + 1);
      wake();
    },
    async reached(name: string, count: number): Promise<void> {
      while ((counts.get(name) ?? 0) < count) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

for (const [what, part] of [
  ["nothing", () => undefined],
  ["one byte", () => clientHello.subarray(0, 1)],
  ["half of a ClientHello", () => clientHello.subarray(0, clientHello.length / 2)],
] as const) {
  test(`serves newcomers of any address while 1,000 TLS sockets have sent ${what}`, needsTls, async () => {
    const { counts, onLimit } = recorder();
    // Its clock stands still: no one waits for a time-out of the server.
    const clock = new FakeClock();
    await withServer({ tls: certificate, clock, onLimit }, local, async (address, server) => {
      const silent = await openMany(1000, address, part());
      assert.equal(server.openHandshakes, 0);
      await isServed(from("127.0.0.2", address), trusting());
      await isServed(address, trusting());
      assert.deepEqual([...counts], []);
      assert.equal(server.openHandshakes, 0);
      await leave(silent);
    });
  });
}

test(
  "serves newcomers of other addresses at once while 1,000 handshakes of one address stall, and of the same within a second",
  needsTls,
  async () => {
    const { counts, onLimit, reached } = recorder();
    const clock = new FakeClock();
    await withServer({ tls: certificate, clock, onLimit }, local, async (address, server) => {
      const stalled = await openMany(1000, address, clientHello);
      await reached("tls_handshakes paused", 1000 - 128);
      assert.equal(server.openHandshakes, 128);
      for (const other of ["127.0.0.2", "127.0.0.3"]) await isServed(from(other, address), trusting());
      assert.equal(counts.get("tls_handshakes closed"), undefined);
      const served = isServed(address, trusting());
      await reached("tls_handshakes paused", 1000 - 128 + 1);
      for (let passedMs = 0; passedMs < 600; passedMs += 100) clock.advance(100);
      await served;
      await leave(stalled);
    });
  },
);

test(
  "gives an address half of the slots, the next one half of the rest, and leaves one for a newcomer",
  needsTls,
  async () => {
    const { onLimit, reached } = recorder();
    await withServer(
      { tls: certificate, maxTlsHandshakes: 4, clock: new FakeClock(), onLimit },
      local,
      async (address, server) => {
        const first = await openMany(4, address, clientHello);
        await reached("tls_handshakes paused", 2);
        assert.equal(server.openHandshakes, 2);
        const second = await openMany(4, from("127.0.0.2", address), clientHello);
        await reached("tls_handshakes paused", 5);
        assert.equal(server.openHandshakes, 3);
        await isServed(from("127.0.0.3", address), trusting());
        await leave([...first, ...second]);
      },
    );
  },
);

test("begins handshakes that wait in order, those of the address with the fewest first", needsTls, async () => {
  const { onLimit, reached } = recorder();
  await withServer(
    { tls: certificate, maxTlsHandshakes: 2, clock: new FakeClock(), onLimit },
    local,
    async (address) => {
      const [stalled] = await openMany(1, address, clientHello);
      const order: string[] = [];
      const wait = async (name: string, localAddress: string, nth: number): Promise<void> => {
        const connecting = connect(from(localAddress, address), {}, trusting()).then((connection) => {
          order.push(name);
          connection.close();
        });
        done.push(connecting);
        await reached("tls_handshakes paused", nth);
      };
      const done: Promise<void>[] = [];
      await wait("first", "127.0.0.1", 1);
      await wait("second", "127.0.0.1", 2);
      await leave([stalled as Socket]);
      await Promise.all(done);
      assert.deepEqual(order, ["first", "second"]);
    },
  );
});

test("ends a handshake that stalls for half a second while another waits, and not before", needsTls, async () => {
  const { counts, onLimit, reached } = recorder();
  const clock = new FakeClock();
  await withServer({ tls: certificate, maxTlsHandshakes: 2, clock, onLimit }, local, async (address, server) => {
    const [stalled] = (await openMany(1, address, clientHello)) as [Socket];
    // It only counts while others wait.
    await isServed(from("127.0.0.2", address), trusting());
    clock.advance(9000);
    assert.equal(server.openHandshakes, 1);
    const connecting = connect(address, {}, trusting());
    await reached("tls_handshakes paused", 1);
    for (let tick = 0; tick < 4; tick++) clock.advance(100);
    assert.equal(server.openHandshakes, 1);
    assert.equal(counts.get("tls_handshakes closed"), undefined);
    clock.advance(100);
    assert.equal(counts.get("tls_handshakes closed"), 1);
    await closed(stalled);
    const connection = await connecting;
    assert.equal((await ask(connection, patterned(5))).body.length, 5);
    connection.close();
  });
});

test("keeps a handshake whose bytes come one by one", needsTls, async () => {
  await withServer({ tls: certificate }, local, async (address) => {
    const proxy = await createFaultProxy({ target: address, toServer: { sliceBytes: 1 } });
    try {
      await isServed(proxy.address, trusting());
    } finally {
      await proxy.close();
    }
  });
});

test("closes a TLS socket that sends more than a record before it is answered", needsTls, async () => {
  await withServer({ tls: certificate, maxTlsHandshakes: 2, clock: new FakeClock() }, local, async (address) => {
    const stalled = await openMany(1, address, clientHello);
    const socket = await open(address, clientHello);
    socket.write(Buffer.alloc(16_390));
    await closed(socket);
    await leave(stalled);
  });
});

test("closes a TLS socket that has sent nothing for as long as a handshake may take", needsTls, async () => {
  const clock = new FakeClock();
  await withServer({ tls: certificate, clock }, local, async (address) => {
    const [silent] = (await openMany(1, address)) as [Socket];
    await isServed(address, trusting());
    clock.advance(9999);
    await isServed(address, trusting());
    assert.equal(silent.closed, false);
    clock.advance(1);
    await closed(silent);
  });
});

test("lets silent cleartext sockets make room where all connections are taken, those of the busiest address first", async () => {
  const { counts, onLimit } = recorder();
  await withServer({ maxConnections: 100, clock: new FakeClock(), onLimit }, local, async (address) => {
    const silent = await openMany(99, address);
    const [other] = (await openMany(1, from("127.0.0.2", address))) as [Socket];
    for (const newcomer of ["127.0.0.1", "127.0.0.2", "127.0.0.3"]) {
      await isServed(from(newcomer, address), {});
    }
    assert.deepEqual([...counts], [["connections closed", 1]]);
    assert.equal(other.closed, false);
    await leave([...silent, other]);
  });
});

const ownAddress = Object.values(networkInterfaces())
  .flat()
  .find((entry) => entry?.family === "IPv4" && !entry.internal)?.address;

test("lets silent sockets make room for others of their address where it has as many connections as it may", {
  skip: ownAddress === undefined ? "this machine has no address but loopback" : false,
}, async () => {
  const { counts, onLimit } = recorder();
  const options = { maxConnectionsPerAddress: 20, clock: new FakeClock(), onLimit };
  await withServer(options, { host: "0.0.0.0", port: 0 }, async (address) => {
    const own = { host: ownAddress as string, port: portOf(address) };
    const silent = await openMany(20, own);
    await isServed(own, {});
    assert.deepEqual([...counts], [["connections_per_address closed", 1]]);
    await leave(silent);
  });
});
