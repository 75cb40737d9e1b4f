import { connect, type Socket } from "node:net";
import { type AttackBody, attackBodies } from "./attack-bodies.ts";

/** Attacks on the gateway of the server under test. Each runs until its process is ended. */
export const http1Attacks: Readonly<Record<string, (port: number) => Promise<never>>> = {
  "slow heads over HTTP/1.1": (port) =>
    onConnections(port, 500, (socket) => trickle(socket, "GET /echo HTTP/1.1\r\n", "x")),
  "slow bodies over HTTP/1.1": (port) =>
    onConnections(port, 500, (socket) =>
      trickle(socket, `${post("application/json")}content-length: 1000000\r\n\r\n`, " "),
    ),
  "requests over HTTP/1.1 whose responses are not read": (port) =>
    onConnections(port, 10, (socket) => flood(socket, Buffer.from(get("/echo?message=a").repeat(500)), false)),
  "requests over HTTP/1.1 as fast as they are answered": (port) =>
    onConnections(port, 1, (socket) => flood(socket, Buffer.from(get("/echo?message=a").repeat(8)), true)),
  "requests over HTTP/1.1 that hide another": (port) =>
    onConnections(port, 100, (socket) =>
      flood(socket, Buffer.from(`${post("application/json")}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`), true),
    ),
  "heads of a hundred fields over HTTP/1.1": (port) => {
    // More than is remembered of a head.
    const fields = Array.from({ length: 98 }, (_, at) => `x-field-number-${at}: of a hundred\r\n`).join("");
    const head = get("/echo?message=a").replace("\r\n\r\n", `\r\n${fields}\r\n`);
    return onConnections(port, 10, (socket) => flood(socket, Buffer.from(head), true));
  },
  "bodies over HTTP/1.1 in chunks of a byte": (port) =>
    onConnections(port, 10, (socket) => {
      socket.write(`${post("application/json")}transfer-encoding: chunked\r\n\r\n`);
      flood(socket, Buffer.from("1\r\na\r\n".repeat(1000)), true);
    }),
  "bodies over the limit over HTTP/1.1": (port) => floodBodies(port, attackBodies.overLimit),
  "server-sent events that are not read": (port) =>
    onConnections(port, 200, (socket) => {
      socket.pause();
      socket.write(
        get("/events?count=2000000000&payloadSize=1000").replace("\r\n\r\n", "\r\naccept: text/event-stream\r\n\r\n"),
      );
    }),
  "JSON that nests without end": (port) => floodBodies(port, attackBodies.nestedJson),
  "bodies that Brotli inflates a thousand times": (port) => floodBodies(port, attackBodies.brotliBomb),
  "forms of a hundred parts": (port) => floodBodies(port, attackBodies.form),
  "pings over WebSockets": (port) =>
    onConnections(port, 10, (socket) =>
      openSocket(socket, Buffer.from("8980000000008a8000000000".repeat(1000), "hex")),
    ),
  "fragments over WebSockets that never end": (port) =>
    onConnections(port, 10, (socket) =>
      openSocket(socket, Buffer.from("00810000000061".repeat(1000), "hex"), Buffer.from("01810000000061", "hex")),
    ),
};

const host = "host: 127.0.0.1\r\n";

function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\n${host}\r\n`;
}

function post(type: string): string {
  return `POST /echo HTTP/1.1\r\n${host}content-type: ${type}\r\n`;
}

/** Ten connections that send the body again and again, as fast as it is taken. */
function floodBodies(port: number, { type, encoding, create }: AttackBody): Promise<never> {
  const body = create();
  const coding = encoding === undefined ? "" : `content-encoding: ${encoding}\r\n`;
  const head = Buffer.from(`${post(type)}${coding}content-length: ${body.length}\r\n\r\n`);
  const request = Buffer.concat([head, body]);
  return onConnections(port, 10, (socket) => flood(socket, request, true));
}

/** Keeps as many connections open, each of which does the same; one that is closed is opened again. */
function onConnections(port: number, count: number, begin: (socket: Socket) => void): Promise<never> {
  const open = (): void => {
    const socket = connect(port, "127.0.0.1", () => begin(socket));
    socket.on("error", () => {}).on("close", () => setTimeout(open, 100));
  };
  for (let nth = 0; nth < count; nth++) open();
  // Sockets that are not read do not keep the process.
  return new Promise(() => setInterval(() => {}, 1000));
}

/** Begins a request, and continues it with a byte a second. */
function trickle(socket: Socket, beginning: string, byte: string): void {
  socket.resume();
  socket.write(beginning);
  const timer = setInterval(() => socket.write(byte), 1000);
  socket.on("close", () => clearInterval(timer));
}

/** Sends the same over and over, as fast as it is taken. */
function flood(socket: Socket, bytes: Buffer, isRead: boolean): void {
  if (isRead) socket.resume();
  else socket.pause();
  const send = (): void => {
    while (socket.writable && socket.write(bytes));
  };
  socket.on("drain", send);
  send();
}

/** Opens a WebSocket, and floods it with frames once it is open. */
function openSocket(socket: Socket, frames: Buffer, first: Buffer = Buffer.alloc(0)): void {
  socket.write(
    `GET /bench.echo.v1.EchoService/ClientStream HTTP/1.1\r\n${host}connection: upgrade\r\nupgrade: websocket\r\n` +
      "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  socket.once("data", () => {
    socket.write(first);
    flood(socket, frames, true);
  });
}
