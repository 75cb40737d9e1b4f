import assert from "node:assert/strict";
import { type AddressInfo, connect, createServer as createNetServer, type Server as NetServer } from "node:net";
import { after, before, describe, it } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createGateway } from "@tercel/gateway";
import { createWebSockets } from "@tercel/gateway/websocket";
import { createServer, type Server } from "@tercel/grpc";
import { Library } from "./gen/tercel/gateway/test/v1/library_pb.ts";
import { createLibrary, createLibraryState } from "./support/library.ts";

const restarts = 4;
/** The least number of responses or messages that each client receives between two restarts. */
const progress = 20;
const drainMs = 200;
const endless = 2_000_000_000;

/** A client that runs until it is stopped. Messages that are missing or out of order are failures. */
interface RunningClient {
  readonly seen: () => number;
  stop(): void;
  readonly ended: Promise<void>;
}

describe("a rolling restart", () => {
  let current: { readonly server: Server; readonly port: number };
  let relay: NetServer;
  let url: string;
  before(async () => {
    current = await startServer();
    // Like a load balancer: new connections go to the newest server.
    relay = createNetServer((socket) => {
      const inner = connect(current.port, "127.0.0.1");
      socket.pipe(inner).pipe(socket);
      socket.on("error", () => inner.destroy()).on("close", () => inner.destroy());
      inner.on("error", () => socket.destroy()).on("close", () => socket.destroy());
    });
    await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(relay.address() as AddressInfo).port}`;
  });
  after(async () => {
    await current.server.close({ deadlineMs: 0 });
    relay.close();
  });

  it("loses no REST request, and continues streams over SSE and WebSockets", async () => {
    const clients = [
      callByRest(url),
      callByRest(url),
      readEvents(url),
      readEvents(url),
      readSocket(url),
      readSocket(url),
    ];
    const all = Promise.all(clients.map(({ ended }) => ended));
    all.catch(() => {});
    for (let restart = 0; restart < restarts; restart++) {
      const least = clients.map(({ seen }) => seen() + progress);
      while (clients.some(({ seen }, at) => seen() < (least[at] as number))) await Promise.race([nextTurn(), all]);
      const old = current;
      current = await startServer();
      await old.server.close({ deadlineMs: drainMs });
      assert.equal(old.server.openCalls, 0);
    }
    const least = clients.map(({ seen }) => seen() + progress);
    while (clients.some(({ seen }, at) => seen() < (least[at] as number))) await Promise.race([nextTurn(), all]);
    for (const client of clients) client.stop();
    await all;
  });
});

async function startServer(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer({
    log: { debug() {}, info() {}, warn() {}, error() {} },
    routes: (router) =>
      router.service(Library, {
        ...createLibrary(createLibraryState()),
        async *watchBooks({ resumeToken, count }) {
          for (let at = Number(resumeToken) + 1; at <= count; at++) {
            yield { resumeToken: String(at) };
            await nextTurn();
          }
        },
      }),
    gateway: createGateway({ webSockets: createWebSockets() }),
  });
  const { port } = await server.listen({ port: 0 });
  return { server, port };
}

/** Sends one request after another. Like all HTTP clients it retries a request when the connection closes without a response (RFC 9110 §9.2.2). */
function callByRest(url: string): RunningClient {
  let seen = 0;
  let isStopped = false;
  const run = async (): Promise<void> => {
    while (!isStopped) {
      const response = await fetch(`${url}/v1/shelves/7/books/1`).catch(() => undefined);
      if (response === undefined) continue;
      assert.equal(response.status, 200);
      assert.equal(((await response.json()) as { title: string }).title, "Flatland");
      seen++;
    }
  };
  const stop = (): void => {
    isStopped = true;
  };
  return { seen: () => seen, ended: run(), stop };
}

/** Like an EventSource: reconnects with the id of the last event after a lost connection. */
function readEvents(url: string): RunningClient {
  let last = 0;
  const stopping = new AbortController();
  const read = async (): Promise<void> => {
    const headers = { accept: "text/event-stream", ...(last === 0 ? {} : { "last-event-id": String(last) }) };
    const response = await fetch(`${url}/v1/books:watch?count=${endless}`, { headers, signal: stopping.signal });
    assert.equal(response.status, 200);
    let text = "";
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString();
      const events = text.split("\n\n");
      text = events.pop() ?? "";
      for (const event of events) {
        const id = /^id: (\d+)$/m.exec(event)?.[1];
        if (id === undefined) continue;
        assert.equal(Number(id), last + 1, "an event was lost, or came twice");
        last++;
      }
    }
  };
  return { seen: () => last, ended: repeat(read, stopping.signal), stop: () => stopping.abort() };
}

function readSocket(url: string): RunningClient {
  let last = 0;
  const stopping = new AbortController();
  const read = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`${url.replace("http", "ws")}/${Library.typeName}/WatchBooks`, ["tercel.v1+json"]);
      const stop = (): void => socket.close();
      stopping.signal.addEventListener("abort", stop);
      socket.onopen = () => socket.send(JSON.stringify({ count: endless, resumeToken: String(last) }));
      socket.onmessage = ({ data }) => {
        const { result } = JSON.parse(String(data)) as { result?: { resumeToken: string } };
        if (result === undefined) return;
        if (Number(result.resumeToken) === last + 1) last++;
        else reject(new assert.AssertionError({ message: `${result.resumeToken} came after ${last}` }));
      };
      socket.onclose = () => {
        stopping.signal.removeEventListener("abort", stop);
        resolve();
      };
      socket.onerror = () => {};
    });
  return { seen: () => last, ended: repeat(read, stopping.signal), stop: () => stopping.abort() };
}

/** Reads again after each end until it is stopped. Only messages out of order are failures. */
async function repeat(read: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await read();
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
    }
  }
}
