import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect, createServer as createNetServer, type Server } from "node:net";
import { systemClock } from "@tercel/grpc";
import { defaultHttp1Limits } from "../../src/http/http1-limits.ts";
import { Http1Server } from "../../src/http/http1-server.ts";
import type { Http1Session } from "./http1-sessions.ts";

/** Node drops requests that it has read, but not handed over, when a client sends no more. */
const turnsBeforeEnd = 10;

/** A request as a server has understood it: as JSON, so that two can be compared. */
export type Understood = string;

/** Requests by session, whose number is the client's port. */
type Log = Map<number, Understood[]>;

/** The gateway's reader of HTTP/1.1 and that of `node:http`, each behind a server of its own. */
export class Http1Readers {
  readonly #own: Log = new Map();
  readonly #node: Log = new Map();
  readonly #http1 = createOwn(this.#own);
  readonly #ownServer = createNetServer({ noDelay: true }, (socket) => this.#http1.emit("connection", socket));
  readonly #nodeServer = startNode(this.#node);

  async start(): Promise<void> {
    for (const server of [this.#ownServer, this.#nodeServer]) {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
    }
  }

  async close(): Promise<void> {
    this.#ownServer.close();
    this.#nodeServer.close();
    await this.#http1.close(0);
  }

  /** The requests that the gateway understands of a session. */
  ours(session: Http1Session): Promise<Understood[]> {
    return play(this.#ownServer, session, this.#own);
  }

  /** Those that `node:http` understands. */
  theirs(session: Http1Session): Promise<Understood[]> {
    return play(this.#nodeServer, session, this.#node);
  }
}

/** Plays a session, and returns the requests that the server has understood when the connection is closed. */
async function play(server: Server, { text, splits }: Http1Session, log: Log): Promise<Understood[]> {
  const { port } = server.address() as AddressInfo;
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  socket.on("error", () => {});
  await once(socket, "connect");
  const seen: Understood[] = [];
  log.set(socket.localPort as number, seen);
  socket.resume();
  const closed = new Promise((resolve) => socket.on("close", resolve));
  let from = 0;
  for (const at of splits) {
    socket.write(text.slice(from, at), "latin1");
    from = at;
    await new Promise((resolve) => setImmediate(resolve));
  }
  socket.write(text.slice(from), "latin1");
  for (let turn = 0; turn < turnsBeforeEnd; turn++) await new Promise((resolve) => setImmediate(resolve));
  socket.end();
  await closed;
  return seen;
}

function understand(method: string, target: string, fields: readonly string[], body: string): Understood {
  const named = fields.map((one, at) => (at % 2 === 0 ? one.toLowerCase() : one));
  return JSON.stringify([method, target, named, body]);
}

function createOwn(log: Log): Http1Server {
  return new Http1Server({
    ...{ clock: systemClock, limits: defaultHttp1Limits, onUpgrade: undefined, onCutOff() {} },
    onFault: (error) => assert.fail(String(error)),
    onExchange(exchange) {
      const { method, path, fields } = exchange.head;
      const port = Number(exchange.peerAddress?.split(":").at(-1));
      let body = "";
      exchange.listener = {
        onData(bytes) {
          body += Buffer.from(bytes).toString("latin1");
          exchange.consume(bytes.length);
        },
        onEnd() {
          log.get(port)?.push(understand(method, path, fields, body));
          exchange.sendHead(200, ["content-length", "2"]);
          exchange.end(Buffer.from("ok"));
        },
        onClose() {},
        onWritable() {},
      };
    },
  });
}

function startNode(log: Log): Server {
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const { remotePort = 0 } = request.socket;
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString("latin1");
    });
    request.on("end", () => {
      log.get(remotePort)?.push(understand(request.method ?? "", request.url ?? "", request.rawHeaders, body));
      response.end("ok");
    });
  };
  const server = createHttpServer({ insecureHTTPParser: false, requireHostHeader: false }, serve);
  server.on("checkContinue", (request, response) => {
    response.writeContinue();
    serve(request, response);
  });
  server.on("clientError", (_, socket) => socket.destroy());
  return server;
}
