import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect, createServer as createNetServer, type Server } from "node:net";
import { after, before, describe, it } from "node:test";
import { systemClock } from "@tercel/grpc";
import { defaultHttp1Limits } from "../src/http/http1-limits.ts";
import { Http1Server } from "../src/http/http1-server.ts";
import { type Http1Session, makeSession } from "./support/http1-sessions.ts";

const sessions = 600;
const atOnce = 20;
const turnsBeforeEnd = 10;

/** A request as a server has parsed it, in JSON for comparison. */
type Understood = string;

/** Requests by session, whose number is the client's port. */
type Log = Map<number, Understood[]>;

describe("the HTTP/1.1 parser", () => {
  const own: Log = new Map();
  const node: Log = new Map();
  const http1 = createOwn(own);
  const ownServer = createNetServer({ noDelay: true }, (socket) => http1.emit("connection", socket));
  const nodeServer = startNode(node);
  before(async () => {
    for (const server of [ownServer, nodeServer]) {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
    }
  });
  after(async () => {
    ownServer.close();
    nodeServer.close();
    await http1.close(0);
  });

  it(`reads each request of ${sessions} sessions like node:http or refuses it, and is never more lenient`, async () => {
    let understood = 0;
    for (let first = 1; first <= sessions; first += atOnce) {
      const seeds = Array.from({ length: atOnce }, (_, at) => first + at);
      await Promise.all(
        seeds.map(async (seed) => {
          const session = makeSession(seed);
          const [ours, theirs] = await Promise.all([play(ownServer, session, own), play(nodeServer, session, node)]);
          const shown = `session ${seed}: ${JSON.stringify(session)}\nours: ${ours}\nnode: ${theirs}`;
          assert.ok(ours.length <= theirs.length, shown);
          ours.forEach((one, at) => {
            assert.equal(one, theirs[at], shown);
          });
          understood += ours.length;
        }),
      );
    }
    assert.ok(understood > sessions / 3, `${understood} requests were understood`);
  });

  it("reads valid requests", async () => {
    const text = "GET /a HTTP/1.1\r\nhost: a\r\n\r\nPOST /b HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi";
    const ours = await play(ownServer, { text, splits: [3, 40] }, own);
    assert.deepEqual(ours, await play(nodeServer, { text, splits: [] }, node));
    assert.equal(ours.length, 2);
  });
});

/** Plays a session, and returns the requests that the server has parsed when the connection is closed. */
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
  // When a client half-closes, Node.js drops requests that it has read but not passed on.
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
