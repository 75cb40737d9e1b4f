/**
 * `npm run bench:loop-delay`: how long the server's event loop takes for a turn while one hostile connection sends as fast as it
 * can, which is what every other connection of the process has to wait. Exit code 1 when the 99th percentile of an attack is over the limit.
 */

import { fork } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { attacks } from "./attacks.ts";
import type { TurnLengths } from "./server.ts";

const maxP99Ms = 20;
const seconds = 3;

/** Sends as fast as the server takes it, and begins anew whenever the connection is ended. */
async function attack(port: number, octets: () => Iterable<Buffer>, signal: AbortSignal): Promise<number> {
  let connections = 0;
  while (!signal.aborted) {
    connections++;
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {}).resume();
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    const stop = (): unknown => socket.destroy();
    signal.addEventListener("abort", stop);
    await Promise.race([send(socket, octets()), closed]);
    if (!socket.destroyed && !signal.aborted) await closed;
    signal.removeEventListener("abort", stop);
    await closed;
  }
  return connections;
}

async function send(socket: Socket, octets: Iterable<Buffer>): Promise<void> {
  let wake = (): void => {};
  socket.on("drain", () => wake()).on("close", () => wake());
  for (const chunk of octets) {
    if (socket.destroyed) return;
    if (socket.write(chunk)) continue;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}

/** A process for each attack: what one has left behind must not weigh on the next. */
async function measure(octets: () => Iterable<Buffer>): Promise<{ turns: TurnLengths; connections: number }> {
  const server = fork(new URL("server.ts", import.meta.url), { env: { ...process.env, NODE_ENV: "production" } });
  const exited = once(server, "exit");
  try {
    const [{ port }] = (await once(server, "message")) as [{ port: number }];
    const over = new AbortController();
    const attacking = attack(port, octets, over.signal);
    // The first second goes to the compiler.
    await sleep(1000);
    server.send("start");
    await sleep(seconds * 1000);
    const reported = once(server, "message");
    server.send("report");
    const [turns] = (await reported) as [TurnLengths];
    over.abort();
    return { turns, connections: await attacking };
  } finally {
    server.disconnect();
    await exited;
  }
}

let isTooLate = false;
console.log(
  `CPU time of a turn of the server's event loop in ms, ${seconds} s each; the limit is ${maxP99Ms} at p99\n`,
);
console.log("p50    p99    max    connections  one hostile connection sends");
for (const [name, octets] of Object.entries(attacks)) {
  const { turns, connections } = await measure(octets);
  const column = (ms: number): string => ms.toFixed(1).padEnd(7);
  const struck = Object.entries(turns.strikes).map(([limit, times]) => `${limit} ×${times}`);
  console.log(
    `${column(turns.p50Ms)}${column(turns.p99Ms)}${column(turns.maxMs)}${String(connections).padEnd(13)}${name}${struck.length === 0 ? "" : ` (${struck.join(", ")})`}`,
  );
  isTooLate ||= turns.p99Ms > maxP99Ms;
}
if (isTooLate) process.exitCode = 1;
