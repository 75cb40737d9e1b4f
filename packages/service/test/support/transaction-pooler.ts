import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A pooler that lends a connection of the server for one transaction, as PgBouncer does with `pool_mode = transaction`. */
export interface TransactionPooler {
  readonly port: number;
  close(): Promise<void>;
}

// Messages of PostgreSQL's protocol 3.0 (PostgreSQL, §55.7).
const sslRequest = 80_877_103;
const terminate = 0x58;
const readyForQuery = 0x5a;
const idle = 0x49;

interface Backend {
  readonly socket: Socket;
  /** Who has it, and gets what the server sends. */
  client: Socket | undefined;
}

/** @param isRoundRobin whether the connection that was free for longest is lent next, instead of the one given back last */
export async function startTransactionPooler(
  serverPort: number,
  { connections = 3, isRoundRobin = false } = {},
): Promise<TransactionPooler> {
  const free: Backend[] = [];
  const waiting: { client: Socket; bytes: Buffer }[] = [];
  const clients = new Set<Socket>();
  const backends: Backend[] = [];

  const release = (backend: Backend): void => {
    backend.client = undefined;
    free.push(backend);
    const next = waiting.shift();
    if (next !== undefined) forward(next.client, next.bytes);
  };
  const forward = (client: Socket, bytes: Buffer): void => {
    const own = backends.find((one) => one.client === client) ?? (isRoundRobin ? free.shift() : free.pop());
    if (own === undefined) {
      waiting.push({ client, bytes });
      return;
    }
    own.client = client;
    own.socket.write(bytes);
  };

  for (let at = 0; at < connections; at++) {
    const backend: Backend = { socket: await openBackend(serverPort), client: undefined };
    backends.push(backend);
    free.push(backend);
    readMessages(backend.socket, (type, message) => {
      backend.client?.write(message);
      if (type === readyForQuery && message[5] === idle) release(backend);
    });
  }

  const server = createServer((client) => {
    clients.add(client);
    client.on("error", () => {});
    let isStarted = false;
    client.on("data", (bytes: Buffer) => {
      if (isStarted) {
        if (bytes[0] === terminate) client.end();
        else forward(client, bytes);
        return;
      }
      if (bytes.readInt32BE(4) === sslRequest) {
        client.write("N");
        return;
      }
      isStarted = true;
      client.write(Buffer.concat([message("R", Buffer.alloc(4)), message("Z", Buffer.from("I"))]));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of [...clients, ...backends.map((one) => one.socket)]) socket.destroy();
      await once(server.close(), "close");
    },
  };
}

async function openBackend(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  const parameters = Buffer.from("\0\x03\0\0user\0postgres\0database\0postgres\0\0");
  const length = Buffer.alloc(4);
  length.writeInt32BE(parameters.length + 4);
  socket.write(Buffer.concat([length, parameters]));
  await new Promise<void>((resolve) => {
    const stop = readMessages(socket, (type) => {
      if (type !== readyForQuery) return;
      stop();
      resolve();
    });
  });
  return socket;
}

function readMessages(socket: Socket, onMessage: (type: number, message: Buffer) => void): () => void {
  let rest: Buffer = Buffer.alloc(0);
  const read = (bytes: Buffer): void => {
    rest = Buffer.concat([rest, bytes]);
    while (rest.length >= 5 && rest.length >= rest.readInt32BE(1) + 1) {
      const end = rest.readInt32BE(1) + 1;
      const whole = rest.subarray(0, end);
      rest = rest.subarray(end);
      onMessage(whole[0] as number, whole);
    }
  };
  socket.on("data", read);
  return () => socket.off("data", read);
}

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 0, "latin1");
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
