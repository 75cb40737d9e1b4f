import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import { FakeClock } from "../../testing/index.ts";
import { HandshakeQueue } from "./handshake-queue.ts";
import { SocketsByNetwork } from "./sockets-by-network.ts";

/** Complete as TLS sees it, because it is no handshake: enough to take a slot. */
const firstRecord = Uint8Array.of(0);

let ports = 0;

function fakeSocket(): Socket {
  const socket = new EventEmitter() as unknown as Socket;
  return Object.assign(socket, {
    remoteAddress: "192.0.2.1",
    remotePort: ++ports,
    localAddress: "192.0.2.2",
    destroyed: false,
    pause: () => socket,
    unshift() {},
    destroy() {
      Object.assign(socket, { destroyed: true });
      socket.emit("close");
      return socket;
    },
  });
}

function createQueue(maxRunning: number) {
  const begun: Socket[] = [];
  const waited: Socket[] = [];
  const clock = new FakeClock();
  const queue = new HandshakeQueue({
    maxRunning,
    timeoutMs: 20_000,
    clock,
    newcomers: new SocketsByNetwork(),
    begin: (socket) => begun.push(socket),
    onWait: (socket) => waited.push(socket),
    onEvict() {},
  });
  const arrive = (): Socket => {
    const socket = fakeSocket();
    queue.add(socket, "192.0.2.1");
    socket.emit("data", firstRecord);
    return socket;
  };
  return { queue, begun, waited, arrive, clock };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test("begins eight handshakes in a turn of the event loop, and the others in the next turns and in order", async () => {
  const { queue, begun, waited, arrive } = createQueue(100);
  const sockets = Array.from({ length: 20 }, arrive);
  assert.deepEqual(begun, sockets.slice(0, 8));
  await turn();
  assert.deepEqual(begun, sockets.slice(0, 16));
  await turn();
  assert.deepEqual(begun, sockets);
  assert.deepEqual(waited, [], "the limit was not reached");
  queue.close();
});

test("begins no more than eight in a turn when many slots become free at once", async () => {
  const { queue, begun, waited, arrive } = createQueue(40);
  // An address may have half of the slots.
  const first = Array.from({ length: 20 }, arrive);
  await turn();
  await turn();
  assert.equal(begun.length, 20);
  await turn();
  const second = Array.from({ length: 20 }, arrive);
  assert.deepEqual(waited, second);
  for (const socket of first) socket.destroy();
  assert.equal(begun.length, 28);
  await turn();
  assert.equal(begun.length, 36);
  await turn();
  assert.equal(begun.length, 40);
  queue.close();
});

test("forgets a socket that closes while it waits for its turn", async () => {
  const { queue, begun, arrive } = createQueue(100);
  const sockets = Array.from({ length: 10 }, arrive);
  sockets[8]?.destroy();
  await turn();
  assert.deepEqual(begun, [...sockets.slice(0, 8), sockets[9]]);
  queue.close();
});

test("takes in turn the newest and the one that has waited longest but not for over a second, once the oldest waits for long", async () => {
  const { queue, begun, arrive, clock } = createQueue(8);
  const flood = Array.from({ length: 44 }, arrive);
  await turn();
  const nextBegun = async (): Promise<number[]> => {
    const before = begun.length;
    clock.advance(100);
    clock.advance(100);
    await turn();
    return begun.slice(before).map((socket) => flood.indexOf(socket));
  };
  assert.deepEqual(await nextBegun(), [4, 5, 6, 7]);
  assert.deepEqual(await nextBegun(), [43, 8, 42, 9]);
  assert.deepEqual(await nextBegun(), [41, 10, 40, 11]);
  assert.deepEqual(await nextBegun(), [39, 12, 38, 13]);
  assert.deepEqual(await nextBegun(), [37, 14, 36, 15], "after exactly a second");
  flood.push(arrive(), arrive());
  assert.deepEqual(await nextBegun(), [45, 44, 35, 34]);
  queue.close();
});

test("takes them in order while the oldest has not waited for long", async () => {
  const { queue, begun, arrive, clock } = createQueue(8);
  const stalled = Array.from({ length: 4 }, arrive);
  await turn();
  const waiting = [arrive(), arrive(), arrive()];
  clock.advance(250);
  for (const socket of stalled) socket.destroy();
  assert.deepEqual(begun, [...stalled, ...waiting]);
  queue.close();
});
