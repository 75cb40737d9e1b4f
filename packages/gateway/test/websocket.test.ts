import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { createGateway, type GatewayOptions } from "@tercel/gateway";
import { createWebSockets } from "@tercel/gateway/websocket";
import { createServer } from "@tercel/grpc";
import { createSelfSigned, withoutOpenssl } from "@tercel/test-support/certificates";
import { EverythingSchema, Library } from "./gen/tercel/gateway/test/v1/library_pb.ts";
import { createLibrary, createLibraryState, type RunningLibrary, startLibrary } from "./support/library.ts";
import { readUntil, statusOf } from "./support/raw-http.ts";
import { openSocket, refusedHandshake } from "./support/socket-client.ts";

const quiet = { log: { debug() {}, info() {}, warn() {}, error() {} } };
const json = ["tercel.v1+json"];
const proto = ["tercel.v1+proto"];
const chat = "/tercel.gateway.test.v1.Library/Chat";

/** What the interceptors of the server have seen. */
const seen: { authorization: string | null; names: string[] }[] = [];
const recorder: Interceptor = (next) => (request) => {
  seen.push({ authorization: request.header.get("authorization"), names: [...request.header.keys()] });
  return next(request);
};

function startSockets(gateway: GatewayOptions = {}): Promise<RunningLibrary> {
  return startLibrary(
    Library,
    { cors: { origins: ["https://app.example.com"] }, webSockets: createWebSockets(), ...gateway },
    { ...quiet, interceptors: [recorder] },
  );
}

const text = async (message: Promise<Buffer>): Promise<unknown> => JSON.parse((await message).toString());

describe("a WebSocket with JSON", () => {
  let library: RunningLibrary;
  before(async () => {
    library = await startSockets();
  });
  after(() => library.server.close({ deadlineMs: 0 }));

  it("carries a stream both ways, message by message, until the client says that no more come", async () => {
    const { socket, next, closed } = await openSocket(library.url + chat, json);
    assert.equal(socket.protocol, "tercel.v1+json");
    socket.send('{"text":"a"}');
    assert.deepEqual(await text(next()), { result: { text: "a" } });
    socket.send('{"text":"b","large":"5"}');
    assert.deepEqual(await text(next()), { result: { text: "b", large: "5" } });
    socket.send("");
    assert.deepEqual(await closed, { code: 1000, reason: "" });
    assert.equal(library.server.openCalls, 0);
  });

  it("needs no subprotocol", async () => {
    const { socket, next, closed } = await openSocket(library.url + chat);
    assert.equal(socket.protocol, "");
    socket.send('{"text":"a"}');
    assert.deepEqual(await text(next()), { result: { text: "a" } });
    socket.close();
    await closed;
  });

  it("carries a server stream by its REST route, whose request is path and query", async () => {
    const { next, closed } = await openSocket(`${library.url}/v1/books:watch?count=2&resume_token=4`, json);
    assert.deepEqual(await text(next()), { result: { resumeToken: "5", book: { title: "Volume 5" } } });
    assert.deepEqual(await text(next()), { result: { resumeToken: "6", book: { title: "Volume 6" } } });
    assert.equal((await closed).code, 1000);
  });

  it("carries a server stream by the method's path, whose request is the first message", async () => {
    const { socket, next, closed } = await openSocket(`${library.url}/tercel.gateway.test.v1.Library/WatchBooks`, json);
    socket.send('{"count":1}');
    assert.deepEqual(await text(next()), { result: { resumeToken: "1", book: { title: "Volume 1" } } });
    assert.equal((await closed).code, 1000);
  });

  it("carries a client stream by its REST route, which is a POST without it", async () => {
    const { socket, next, closed } = await openSocket(`${library.url}/v1/books:import`, json);
    socket.send('{"shelf":"1"}');
    socket.send('{"shelf":"2"}');
    socket.send("");
    assert.deepEqual(await text(next()), { result: { count: 2 } });
    assert.equal((await closed).code, 1000);
  });

  it("ends with the error, and closes with 4000 and its code", async () => {
    const failed = await openSocket(`${library.url}/v1/books:watch?count=3&fail_after=1`, json);
    await failed.next();
    const { error } = (await text(failed.next())) as { error: { status: string; message: string } };
    assert.deepEqual([error.status, error.message], ["UNAVAILABLE", "the press has stopped"]);
    assert.deepEqual(await failed.closed, { code: 4014, reason: "UNAVAILABLE" });
    const misspelt = await openSocket(`${library.url}/v1/books:watch?cuont=3`, json);
    assert.match((await misspelt.next()).toString(), /did you mean \\"count\\"/);
    assert.deepEqual(await misspelt.closed, { code: 4003, reason: "INVALID_ARGUMENT" });
  });

  it("says what is wrong with a message, and ends the call", async () => {
    for (const [sent, problem] of [
      ['{"text":', /line 1, column 9: expected a value/],
      ['{"small":"x"}', /small/],
      [Buffer.from([1]), /messages of tercel\.v1\+json are text/],
    ] as const) {
      const { socket, next, closed } = await openSocket(library.url + chat, json);
      socket.send(sent);
      assert.match((await next()).toString(), problem);
      assert.equal((await closed).code, 4003);
    }
    const { socket, next, closed } = await openSocket(`${library.url}/tercel.gateway.test.v1.Library/WatchBooks`, json);
    socket.send('{"count":2000000000}');
    await next();
    socket.send("{}");
    assert.equal((await closed).code, 4003);
  });

  it("hands over a token among the subprotocols, and does not send it back", async () => {
    const { socket, next, closed } = await openSocket(library.url + chat, ["authorization.bearer.abc-1.d", ...json]);
    assert.equal(socket.protocol, "tercel.v1+json");
    socket.send("{}");
    await next();
    const { authorization, names } = seen.at(-1) ?? { authorization: "", names: [] };
    assert.equal(authorization, "Bearer abc-1.d");
    assert.ok(!names.some((name) => name.startsWith("sec-websocket") || name === "upgrade"));
    socket.close();
    await closed;
  });

  it("ends for the handler when the client leaves", async () => {
    const { socket, next } = await openSocket(`${library.url}/v1/books:watch?count=2000000000`, json);
    await next();
    assert.equal(library.server.openCalls, 1);
    assert.ok(library.server.openConnections >= 1);
    socket.terminate();
    while (library.server.openCalls > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it("that does not read holds the handler, and no memory", async () => {
    const { socket, next } = await openSocket(`${library.url}/v1/books:watch?count=2000000000`, json);
    await next();
    socket.pause();
    let before = -1;
    while (process.memoryUsage().arrayBuffers !== before) {
      before = process.memoryUsage().arrayBuffers;
      for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(library.server.openCalls, 1);
    assert.ok(before < 64 * 1024 * 1024, `${before} bytes`);
    socket.terminate();
    while (library.server.openCalls > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it("works with the WebSocket that Node brings as well", async () => {
    const socket = new globalThis.WebSocket(`ws://127.0.0.1:${library.port}${chat}`, json);
    await once(socket, "open");
    socket.send('{"text":"a"}');
    const [message] = (await once(socket, "message")) as [MessageEvent];
    assert.equal(message.data, '{"result":{"text":"a"}}');
    socket.send("");
    const [closing] = (await once(socket, "close")) as [CloseEvent];
    assert.equal(closing.code, 1000);
  });
});

describe("a WebSocket with gRPC's frames", () => {
  let library: RunningLibrary;
  before(async () => {
    library = await startSockets();
  });
  after(() => library.server.close({ deadlineMs: 0 }));

  const frame = (flag: number, payload: Uint8Array | string): Buffer => {
    const bytes = Buffer.from(payload);
    const prefix = Buffer.from([flag, 0, 0, 0, 0]);
    prefix.writeUInt32BE(bytes.length, 1);
    return Buffer.concat([prefix, bytes]);
  };
  const everything = (one: string) => frame(0, toBinary(EverythingSchema, create(EverythingSchema, { text: one })));
  const read = (message: Buffer) => ({ flag: message[0], payload: message.subarray(5) });

  it("has headers first, messages, and trailers last", async () => {
    const { socket, next, closed } = await openSocket(library.url + chat, proto);
    socket.send(frame(0x40, "authorization: Bearer x\r\nx-a: b\r\ncookie: c=d\r\n"));
    // Two messages in three pieces.
    const both = Buffer.concat([everything("a"), everything("b")]);
    for (const piece of [both.subarray(0, 3), both.subarray(3, 9), both.subarray(9)]) socket.send(piece);
    socket.send("", { binary: true });
    assert.equal(read(await next()).flag, 0x40);
    assert.equal(fromBinary(EverythingSchema, read(await next()).payload).text, "a");
    assert.equal(fromBinary(EverythingSchema, read(await next()).payload).text, "b");
    const { flag, payload } = read(await next());
    assert.deepEqual([flag, payload.toString()], [0x80, "grpc-status: 0\r\n"]);
    assert.equal((await closed).code, 1000);
    const { authorization, names } = seen.at(-1) ?? { authorization: "", names: [] };
    assert.equal(authorization, "Bearer x");
    assert.ok(names.includes("x-a"));
    assert.ok(!names.includes("cookie"), "a page must not make up its cookies");
  });

  it("has the error in the trailers", async () => {
    const { socket, next, closed } = await openSocket(
      `${library.url}/tercel.gateway.test.v1.Library/WatchBooks`,
      proto,
    );
    socket.send(frame(0x40, ""));
    socket.send(frame(0, Buffer.from([0x10, 3, 0x18, 1])));
    socket.send("", { binary: true });
    assert.equal(read(await next()).flag, 0x40);
    assert.equal(read(await next()).flag, 0);
    assert.match(read(await next()).payload.toString(), /^grpc-status: 14\r\ngrpc-message: the press has stopped\r\n/);
    assert.equal((await closed).code, 4014);
  });

  it("has the deadline that its headers name", async () => {
    const { socket, next, closed } = await openSocket(library.url + chat, proto);
    socket.send(frame(0x40, "grpc-timeout: 1m\r\n"));
    assert.equal(read(await next()).flag, 0x40);
    assert.match(read(await next()).payload.toString(), /^grpc-status: 4\r\n/);
    assert.equal((await closed).code, 4004);
  });

  it("fails where the deadline that its headers name cannot be read", async () => {
    const { socket, next, closed } = await openSocket(library.url + chat, proto);
    socket.send(frame(0x40, "grpc-timeout: soon\r\n"));
    assert.equal(read(await next()).flag, 0x40);
    assert.match(
      read(await next()).payload.toString(),
      /^grpc-status: 3\r\ngrpc-message: invalid grpc-timeout "soon": /,
    );
    assert.equal((await closed).code, 4003);
  });

  it("is refused where the headers are missing or broken, before there is a call", async () => {
    const { started } = library.server.calls;
    for (const first of [everything("a"), frame(0x40, "x a: b\r\n"), Buffer.alloc(0)]) {
      const { socket, closed } = await openSocket(library.url + chat, proto);
      socket.send(first, { binary: true });
      assert.equal((await closed).code, 1008);
    }
    const { socket, closed } = await openSocket(library.url + chat, proto);
    socket.send("text");
    assert.equal((await closed).code, 1008);
    assert.equal(library.server.calls.started, started);
  });

  it("ends with an error for what is not a message", async () => {
    for (const sent of [frame(0, Buffer.from([0xff])), frame(7, ""), frame(1, "x")]) {
      const { socket, next, closed } = await openSocket(library.url + chat, proto);
      socket.send(frame(0x40, ""));
      socket.send(sent);
      await next();
      assert.doesNotMatch(read(await next()).payload.toString(), /^grpc-status: 0\r\n/);
      assert.ok((await closed).code > 4000);
    }
  });
});

describe("a request for a WebSocket", () => {
  let library: RunningLibrary;
  before(async () => {
    library = await startSockets();
  });
  after(() => library.server.close({ deadlineMs: 0 }));

  it("is refused where there is no stream to call", async () => {
    for (const path of ["/v1/shelves/7/books/1", "/tercel.gateway.test.v1.Library/GetBook", "/nothing", "/v1/tags"]) {
      assert.equal((await refusedHandshake(library.url + path, json)).status, 404, path);
    }
    assert.equal((await refusedHandshake(`${library.url}/v1/books%2fx%zz`, json)).status, 400);
  });

  it("is refused with subprotocols that there are not, and names those that there are", async () => {
    const { status, body } = await refusedHandshake(library.url + chat, ["soap"]);
    assert.equal(status, 400);
    assert.match(body, /tercel\.v1\+json, tercel\.v1\+proto/);
  });

  it("from a page of another origin is refused: hijacking does not work", async () => {
    const { started } = library.server.calls;
    for (const origin of ["https://evil.example.com", "null"]) {
      assert.equal((await refusedHandshake(library.url + chat, json, { origin })).status, 403);
    }
    assert.equal(library.server.calls.started, started);
    for (const origin of ["https://app.example.com", library.url]) {
      const { socket, closed } = await openSocket(library.url + chat, json, { origin });
      socket.close();
      await closed;
    }
  });

  it("that is not in order is refused, and the connection closes", async () => {
    const request = (fields: string, method = "GET") =>
      `${method} ${chat} HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n${fields}\r\n`;
    const key = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n";
    const send = async (sent: string): Promise<number> => {
      const socket = connect(library.port, "127.0.0.1");
      await once(socket, "connect");
      socket.write(sent);
      const status = statusOf(await readUntil(socket, /^HTTP\/1\.1 101/));
      socket.destroy();
      return status;
    };
    assert.equal(await send(request(key)), 101);
    assert.equal(await send(request("sec-websocket-version: 13\r\n")), 400);
    assert.equal(await send(request(key.replace("13", "7"))), 400);
    assert.equal(await send(request(`${key}content-length: 4\r\n`)), 400);
    assert.equal(await send(request(key, "POST")), 400);
    assert.equal(await send(request(`${key}host: b\r\n`)), 400);
  });

  it("after another request waits until that has been answered", async () => {
    const socket = connect(library.port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(
      "GET /v1/books:watch?count=100 HTTP/1.1\r\nhost: a\r\n\r\n" +
        `GET ${chat} HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n` +
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n",
    );
    const received = await readUntil(socket, /101 Switching/);
    assert.match(received, /^HTTP\/1\.1 200 [\s\S]*Volume 100[\s\S]*HTTP\/1\.1 101/);
    assert.equal(received.match(/HTTP\/1\.1 /g)?.length, 2);
    socket.destroy();
    while (library.server.openCalls > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it("for another protocol is served as if it had not asked", async () => {
    const socket = connect(library.port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(
      "GET /v1/shelves/7/books/1 HTTP/1.1\r\nhost: a\r\nconnection: upgrade, http2-settings, close\r\nupgrade: h2c\r\n\r\n",
    );
    assert.match(await readUntil(socket), /^HTTP\/1\.1 200 [\s\S]*Flatland/);
  });

  it("is what a stream both ways needs over REST: 426", async () => {
    const rules = [
      {
        selector: "tercel.gateway.test.v1.Library.Chat",
        pattern: { case: "post" as const, value: "/v1/chat" },
        body: "*",
      },
    ];
    const other = await startSockets({ rules });
    const response = await fetch(`${other.url}/v1/chat`, { method: "POST" });
    assert.equal(response.status, 426);
    assert.equal(response.headers.get("upgrade"), "websocket");
    const { socket, next, closed } = await openSocket(`${other.url}/v1/chat`, json);
    socket.send('{"text":"a"}');
    assert.deepEqual(await text(next()), { result: { text: "a" } });
    socket.close();
    await closed;
    await other.server.close({ deadlineMs: 0 });
  });

  it("is none where the gateway has no WebSockets", async () => {
    const other = await startLibrary(Library, {}, quiet);
    assert.equal((await refusedHandshake(`${other.url}/v1/shelves/7/books/1`, json)).status, 200);
    await other.server.close({ deadlineMs: 0 });
  });
});

describe("a client of WebSockets that attacks", () => {
  let library: RunningLibrary;
  before(async () => {
    library = await startLibrary(
      Library,
      { webSockets: createWebSockets() },
      { ...quiet, maxReceiveMessageBytes: 10_000 },
    );
  });
  after(() => library.server.close({ deadlineMs: 0 }));

  it("with a message over the limit is cut off with 1009; one at the limit is served", async () => {
    const { socket, next, closed } = await openSocket(library.url + chat, json);
    const fitting = JSON.stringify({ text: "a".repeat(10_000 - '{"text":""}'.length) });
    socket.send(fitting);
    assert.equal((await next()).length, fitting.length + '{"result":}'.length);
    socket.send("a".repeat(10_006));
    assert.equal((await closed).code, 1009);
    while (library.server.openCalls > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it("with more than 100 pings and no message is cut off with 4008; 100 are answered", async () => {
    const { socket, next, closed } = await openSocket(library.url + chat, json);
    let pongs = 0;
    socket.on("pong", () => pongs++);
    for (let at = 0; at < 100; at++) {
      socket.ping();
      await once(socket, "pong");
    }
    assert.equal(pongs, 100);
    socket.send('{"text":"a"}');
    assert.deepEqual(await text(next()), { result: { text: "a" } });
    for (let at = 0; at < 100; at++) {
      socket.ping();
      await once(socket, "pong");
    }
    socket.ping();
    assert.match((await next()).toString(), /too many pings/);
    assert.equal((await closed).code, 4008);
  });

  it("with a message in more than 1024 fragments is cut off; one in 1024 is served", async () => {
    const { socket, next, closed } = await openSocket(library.url + chat, json);
    const pieces = ['{"text":"', ..."a".repeat(1022), '"}'];
    pieces.forEach((piece, at) => {
      socket.send(piece, { fin: at === pieces.length - 1 });
    });
    assert.deepEqual(await text(next()), { result: { text: "a".repeat(1022) } });
    for (let at = 0; at <= 1024; at++) socket.send("a", { fin: false });
    assert.equal((await closed).code, 1008);
  });

  it("with frames that break the protocol is cut off, and others are served", async () => {
    for (const bytes of [
      [0xf1, 0x80, 0, 0, 0, 0],
      [0x81, 0x01, 0x61],
      [0x83, 0x80, 0, 0, 0, 0],
      [0x09, 0x80, 0, 0, 0, 0],
    ]) {
      const { socket, closed } = await openSocket(library.url + chat, json);
      (socket as unknown as { _socket: import("node:net").Socket })._socket.write(Buffer.from(bytes));
      assert.equal((await closed).code, 1002);
    }
    const { socket, next, closed } = await openSocket(library.url + chat, json);
    socket.send('{"text":"a"}');
    assert.deepEqual(await text(next()), { result: { text: "a" } });
    socket.close();
    await closed;
  });

  it("with messages that no one takes is not read", async () => {
    let take: (() => void) | undefined;
    const taken = new Promise<void>((resolve) => {
      take = resolve;
    });
    let received = 0;
    const server = createServer({
      routes: (router) =>
        router.service(Library, {
          ...createLibrary(createLibraryState()),
          async importBooks(requests) {
            await taken;
            for await (const _ of requests) received++;
            return { count: received };
          },
        }),
      gateway: createGateway({ webSockets: createWebSockets() }),
      ...quiet,
    });
    const { port } = await server.listen({ port: 0 });
    const { socket, next } = await openSocket(`http://127.0.0.1:${port}/v1/books:import`, json);
    const message = JSON.stringify({ shelf: "a".repeat(10_000) });
    const count = 3000;
    for (let at = 0; at < count; at++) socket.send(message);
    let before = -1;
    while (socket.bufferedAmount !== before) {
      before = socket.bufferedAmount;
      for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    // What the kernel's buffers and the window take is a few megabytes.
    assert.ok(before > 10 * 1024 * 1024, `${before} bytes wait at the client`);
    take?.();
    socket.send("");
    assert.deepEqual(await text(next()), { result: { count } });
    await server.close({ deadlineMs: 0 });
  });
});

describe("a server with WebSockets that closes", () => {
  it("lets their calls end, counts them, and cuts off what is left at the deadline", async () => {
    const library = await startSockets();
    const { socket, next, closed } = await openSocket(library.url + chat, json);
    socket.send('{"text":"a"}');
    await next();
    assert.equal(library.server.openConnections, 1);
    const closing = library.server.close({ deadlineMs: 60_000 });
    socket.send('{"text":"b"}');
    assert.deepEqual(await text(next()), { result: { text: "b" } });
    socket.send("");
    assert.equal((await closed).code, 1000);
    await closing;
    const other = await startSockets();
    const endless = await openSocket(other.url + chat, json);
    await other.server.close({ deadlineMs: 0 });
    assert.equal((await endless.closed).code, 1006);
    assert.equal(other.server.openCalls, 0);
  });
});

describe("a WebSocket over TLS", { skip: withoutOpenssl }, () => {
  it("is served on the port of HTTP/2", async () => {
    const { cert, key } = createSelfSigned();
    const library = await startLibrary(Library, { webSockets: createWebSockets() }, { ...quiet, tls: { cert, key } });
    const { socket, next, closed } = await openSocket(`https://127.0.0.1:${library.port}${chat}`, json, {
      rejectUnauthorized: false,
    });
    socket.send('{"text":"a"}');
    assert.deepEqual(await text(next()), { result: { text: "a" } });
    socket.send("");
    assert.equal((await closed).code, 1000);
    await library.server.close({ deadlineMs: 0 });
  });
});
