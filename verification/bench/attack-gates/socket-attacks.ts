/** Attacks that depend on how sockets are opened and read. Each runs until the process is killed. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { duplexPair } from "node:stream";
import { connect as connectTls } from "node:tls";
import { headerResponses } from "../loop-delay/attacks.ts";

export interface SocketAttack {
  /** Attacks on a server with TLS. The victim opens a new connection for each call. */
  readonly isTls: boolean;
  run(port: number): Promise<void>;
}

const silentSockets = 1000;
const partOfClientHello = 100;

/** The first bytes of a TLS client. */
async function readClientHello(): Promise<Buffer> {
  const [wire, end] = duplexPair();
  connectTls({ socket: wire, ALPNProtocols: ["h2"] }).on("error", () => {});
  const [bytes] = (await once(end, "data")) as [Buffer];
  return bytes;
}

/** Keeps a number of sockets open that have sent `bytes` and send nothing more. */
async function holdSockets(port: number, bytes: Uint8Array): Promise<void> {
  const open = (): void => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {}).resume();
    socket.on("close", () => setTimeout(open, 100));
    socket.write(bytes);
  };
  for (let i = 0; i < silentSockets; i++) open();
  await new Promise(() => {});
}

/** Sends as fast as the server reads, and reads one byte per second. */
async function trickle(port: number): Promise<void> {
  for (;;) {
    const socket: Socket = connect({
      port,
      host: "127.0.0.1",
      onread: { buffer: Buffer.alloc(1), callback: () => false },
    });
    const closed = new Promise<boolean>((resolve) => socket.on("error", () => {}).on("close", () => resolve(false)));
    const reading = setInterval(() => socket.resume(), 1000);
    for (const chunk of headerResponses()) {
      if (socket.write(chunk)) continue;
      const drained = new Promise<boolean>((resolve) => socket.once("drain", () => resolve(true)));
      if (!(await Promise.race([drained, closed]))) break;
    }
    clearInterval(reading);
  }
}

export const socketAttacks: Readonly<Record<string, SocketAttack>> = {
  "1,000 TLS sockets without a byte": { isTls: true, run: (port) => holdSockets(port, new Uint8Array(0)) },
  "1,000 TLS sockets with a part of a ClientHello": {
    isTls: true,
    run: async (port) => holdSockets(port, (await readClientHello()).subarray(0, partOfClientHello)),
  },
  "1,000 TLS sockets with a ClientHello and no more": {
    isTls: true,
    run: async (port) => holdSockets(port, await readClientHello()),
  },
  "calls whose responses it reads one byte per second": { isTls: false, run: trickle },
};
