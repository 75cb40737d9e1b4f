import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls, TLSSocket } from "node:tls";
import { writeCertificate } from "./certificate.ts";
import { recordClient } from "./client-script.ts";
import { type MemorySample, mebibytes, slope } from "./memory.ts";
import type { SoakOptions } from "./options.ts";
import type { ServerActivity } from "./server/server-messages.ts";
import { type ServerProcess, startServerProcess } from "./server/server-process.ts";

const defaultCount = 100_000;
const atOnce = 64;
const samples = 25;
/** The memory that a connection may leave. */
const maxBytesEach = 1024;
/** The first connections, whose one-time allocations are not leaks. */
const warmUpShare = 0.2;
/** One connection in this many breaks off in the TLS handshake, and one completes it. */
const [cutHandshakeEvery, wholeHandshakeEvery] = [10, 50];
const idleWithinMs = 60_000;

/**
 * Connections that end at a random byte of the handshake, the preface or calls of every kind, with an RST, an end, or both
 * after a delay. The server must free all their resources.
 */
export async function abortedConnections(options: SoakOptions): Promise<boolean> {
  const count = options.count ?? defaultCount;
  const folder = mkdtempSync(join(tmpdir(), "tercel-soak-"));
  try {
    const tls = writeCertificate(folder);
    if (tls === undefined) console.log("without TLS: openssl, which makes certificates, is not installed");
    const server = await startServerProcess(tls === undefined ? {} : { tls });
    const isFlat = await abortAll(server, count);
    await server.stop();
    return isFlat;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function abortAll(server: ServerProcess, count: number): Promise<boolean> {
  const script = recordClient();
  const { tlsPort } = server;
  const hello = tlsPort === undefined ? undefined : await recordHello();
  const open = (at: number): Promise<void> => {
    if (tlsPort !== undefined && at % wholeHandshakeEvery === 0) return abortTls(tlsPort, script);
    if (tlsPort !== undefined && hello !== undefined && at % cutHandshakeEvery === 1) return abort(tlsPort, hello);
    return abort(server.port, script);
  };

  const points: { x: number; y: number }[] = [];
  const idleSockets = (await server.activity()).sockets;
  console.log(`${script.length} bytes of calls; before: ${describe(await server.memory())}`);
  let done = 0;
  for (let sample = 1; sample <= samples; sample++) {
    const until = Math.round((count * sample) / samples);
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        while (done < until) await open(done++);
      }),
    );
    const left = await idle(server, idleSockets);
    const memory = await server.memory();
    console.log(`${done} connections: ${describe(memory)}`);
    if (left.sockets > idleSockets || left.running > 0) {
      console.log(`aborted-connections: ${left.sockets - idleSockets} sockets and ${left.running} handlers were left`);
      return false;
    }
    points.push({ x: done, y: memory.heapBytes + memory.externalBytes });
  }
  const bytesEach = slope(points.filter(({ x }) => x >= count * warmUpShare));
  console.log(
    `aborted-connections: ${done} connections, ${bytesEach.toFixed(1)} bytes left of each (at most ${maxBytesEach})`,
  );
  return bytesEach <= maxBytesEach;
}

function describe({ heapBytes, externalBytes, rssBytes }: MemorySample): string {
  return `heap ${mebibytes(heapBytes)}, external ${mebibytes(externalBytes)}, RSS ${mebibytes(rssBytes)}`;
}

/** Resolves when nothing is running, or after a minute, to the number of running handlers. */
async function idle(server: ServerProcess, idleSockets: number): Promise<ServerActivity> {
  const untilMs = performance.now() + idleWithinMs;
  for (;;) {
    const activity = await server.activity();
    if ((activity.sockets <= idleSockets && activity.running === 0) || performance.now() > untilMs) return activity;
    await sleep(100);
  }
}

/** Writes a random part of the script, and ends the connection in a random way. */
function abort(port: number, script: Uint8Array): Promise<void> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  socket.on("connect", () => breakOff(socket, script));
  return whenClosed(socket);
}

function abortTls(port: number, script: Uint8Array): Promise<void> {
  const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: ["h2"] });
  socket.on("secureConnect", () => breakOff(socket, script));
  return whenClosed(socket);
}

function breakOff(socket: Socket, script: Uint8Array): void {
  // Half of them end early, where the state changes with every byte.
  const limit = Math.random() < 0.5 ? Math.min(400, script.length) : script.length;
  socket.write(script.subarray(0, Math.floor(Math.random() * (limit + 1))));
  const way = Math.random();
  // TLS has no RST.
  const reset = (): unknown => (socket instanceof TLSSocket ? socket.destroy() : socket.resetAndDestroy());
  if (way < 0.3) reset();
  else if (way < 0.6) socket.destroy();
  else if (way < 0.8) setTimeout(reset, 10 * Math.random());
  else {
    socket.end();
    setTimeout(() => socket.destroy(), 20 * Math.random());
  }
}

function whenClosed(socket: Socket): Promise<void> {
  socket.on("error", () => {});
  socket.resume();
  return new Promise((resolve) => socket.on("close", () => resolve()));
}

/** The first bytes of a TLS client. */
async function recordHello(): Promise<Uint8Array> {
  const server = createServer();
  const hello = new Promise<Uint8Array>((resolve) => {
    server.on("connection", (socket) => {
      socket.on("error", () => {});
      socket.once("data", (chunk: Buffer) => {
        resolve(chunk);
        socket.destroy();
        server.close();
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  connectTls({ port, host: "127.0.0.1", ALPNProtocols: ["h2"] }).on("error", () => {});
  return hello;
}
