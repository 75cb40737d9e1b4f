import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import type { HttpExchange } from "@tercel/grpc/protocols";
import { Http1Connection } from "./http1-connection.ts";
import { defaultHttp1Limits, maxHeadBytes } from "./http1-limits.ts";
import { TurnBudget } from "./turn-budget.ts";
import type { UpgradeRequest } from "./upgrade-request.ts";

/** A socket with the test as its client. */
class FakeSocket extends EventEmitter {
  sent = "";
  isPaused = false;
  destroyed = false;
  writableEnded = false;
  writableNeedDrain = false;
  bytesRead = 0;
  bytesWritten = 0;
  writableLength = 0;

  write(bytes: Uint8Array | string): boolean {
    this.sent += typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("latin1");
    return true;
  }

  end(text = ""): void {
    this.sent += text;
    this.writableEnded = true;
  }

  destroySoon(): void {
    this.writableEnded = true;
    this.destroyed = true;
  }

  destroy(): void {
    this.destroyed = true;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  get statuses(): string[] {
    return [...this.sent.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status as string);
  }
}

interface SeenRequest {
  readonly exchange: HttpExchange;
  readonly text: string;
  body: string;
  isComplete: boolean;
  closedBy: string | undefined;
}

interface Setup {
  /** Responds to each complete request. Default: true. */
  readonly answers?: boolean;
  /** Consumes received body bytes. Default: true. */
  readonly consumes?: boolean;
  /** Called with the head, before the body. */
  onHead?(exchange: HttpExchange): void;
  onUpgrade?(exchange: HttpExchange, upgrade: UpgradeRequest): void;
}

function budgetOf(maxCount: number): TurnBudget {
  return new TurnBudget({ maxCount, maxMs: 1 }, () => 0);
}

function setUp({ answers = true, consumes = true, onHead, onUpgrade }: Setup = {}, readAhead = budgetOf(32)) {
  const socket = new FakeSocket();
  const requests: SeenRequest[] = [];
  const faults: unknown[] = [];
  const owner = {
    ...{ limits: defaultHttp1Limits, isClosing: false, onUpgrade, readAhead },
    onFault: (error: unknown) => faults.push(error),
    onExchange(exchange: HttpExchange) {
      const { method, path } = exchange.head;
      const request: SeenRequest = {
        ...{ exchange, text: `${method} ${path}`, body: "", isComplete: false, closedBy: undefined },
      };
      requests.push(request);
      exchange.listener = {
        onData(bytes) {
          request.body += Buffer.from(bytes).toString("latin1");
          if (consumes) exchange.consume(bytes.length);
        },
        onEnd() {
          request.isComplete = true;
          if (answers) answer(exchange);
        },
        onClose(reason) {
          request.closedBy = reason;
        },
        onWritable() {},
      };
      onHead?.(exchange);
    },
  };
  const connection = new Http1Connection(socket as unknown as Socket, owner, 0);
  const receive = (text: string) => connection.onData(Buffer.from(text, "latin1"));
  return { socket, requests, faults, owner, connection, receive };
}

function answer(exchange: HttpExchange, status = 200): void {
  exchange.sendHead(status, ["content-length", "2"]);
  exchange.end(Buffer.from("ok"));
}

const get = "GET /a HTTP/1.1\r\nhost: a\r\n\r\n";
const post = "POST /b HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello";
const chunked = "POST /c HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe("an HTTP/1.1 connection", () => {
  it("reads the same requests however their bytes are split", () => {
    const text = get + post + chunked + get;
    const read = (pieces: readonly string[]) => {
      const { receive, requests, socket } = setUp();
      for (const piece of pieces) receive(piece);
      assert.deepEqual(socket.statuses, ["200", "200", "200", "200"]);
      return requests.map((one) => `${one.text} ${one.body}`);
    };
    const expected = ["GET /a ", "POST /b hello", "POST /c hello", "GET /a "];
    for (let at = 0; at <= text.length; at++) assert.deepEqual(read([text.slice(0, at), text.slice(at)]), expected);
    assert.deepEqual(read([...text]), expected);
  });

  it("starts a request after the previous response is complete", async () => {
    const { receive, requests } = setUp({ answers: false });
    receive(get + post);
    receive(chunked);
    for (const count of [1, 2, 3]) {
      assert.equal(requests.length, count);
      answer((requests.at(-1) as SeenRequest).exchange);
      await nextTurn();
    }
  });

  it("starts one request in each turn of the event loop, and at most 32 pipelined requests over all connections", async () => {
    const readAhead = budgetOf(32);
    const connections = [setUp({}, readAhead), setUp({}, readAhead), setUp({}, readAhead)];
    for (const { receive } of connections) receive(get.repeat(40));
    const counts = () => connections.map(({ requests }) => requests.length);
    assert.deepEqual(counts(), [33, 1, 1]);
    await nextTurn();
    assert.equal(
      counts().reduce((sum, count) => sum + count, 0),
      35 + 3 + 32,
    );
    while (counts().some((count) => count < 40)) await nextTurn();
  });

  it("reads 64 KiB ahead, and continues after the response", async () => {
    const { receive, requests, socket } = setUp({ answers: false });
    receive(get);
    receive("x".repeat(64 * 1024 - 1));
    assert.equal(socket.isPaused, false);
    receive("x");
    assert.equal(socket.isPaused, true);
    answer((requests[0] as SeenRequest).exchange);
    await nextTurn();
    assert.deepEqual(socket.statuses, ["200", "431"]);
  });

  it("starts no request while the client does not read", () => {
    const { receive, requests, socket, connection } = setUp();
    socket.writableNeedDrain = true;
    receive(get);
    assert.equal(requests.length, 0);
    socket.writableNeedDrain = false;
    connection.onDrain();
    assert.equal(requests.length, 1);
  });

  it("stops reading a body at 64 KiB that the call has not consumed", () => {
    const { receive, requests, socket } = setUp({ consumes: false });
    receive("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n");
    receive("x".repeat(65_535));
    assert.equal(socket.isPaused, false);
    receive("x");
    assert.equal(socket.isPaused, true);
    (requests[0] as SeenRequest).exchange.consume(1);
    assert.equal(socket.isPaused, false);
  });

  it("closes at an invalid request and ignores the bytes after it", () => {
    for (const [bad, status] of [
      ["GET /\r\n\r\n", "400"],
      ["GET / HTTP/1.1\n", "400"],
      ["\x16\x03\x01", "400"],
      ["GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\n", "400"],
      ["CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n", "501"],
    ] as const) {
      const { receive, requests, socket } = setUp();
      receive(get + bad + get);
      receive(get);
      assert.equal(requests.length, 1, bad);
      assert.deepEqual(socket.statuses, ["200", status]);
      assert.equal(socket.destroyed, true);
    }
  });

  it("limits heads to 16 KiB, complete or not", () => {
    const head = (bytes: number) => {
      const start = "GET /a HTTP/1.1\r\nhost: a\r\nx: ";
      return `${start}${"y".repeat(bytes - start.length - 4)}\r\n\r\n`;
    };
    const statusesOf = (...pieces: readonly string[]) => {
      const { receive, socket } = setUp();
      for (const piece of pieces) receive(piece);
      return socket.statuses;
    };
    assert.deepEqual(statusesOf(head(maxHeadBytes)), ["200"]);
    assert.deepEqual(statusesOf(head(maxHeadBytes + 1)), ["431"]);
    const endless = head(2 * maxHeadBytes);
    assert.deepEqual(statusesOf(endless.slice(0, maxHeadBytes)), []);
    assert.deepEqual(statusesOf(endless.slice(0, maxHeadBytes), "y"), ["431"]);
  });

  it("skips any number of empty lines between requests", () => {
    const { receive, requests, connection } = setUp();
    receive(`${post}\r\n`);
    assert.equal(connection.isInHead, false);
    receive(`\r\n\r\n\r\n${get}`);
    assert.equal(requests.length, 2);
    // In pieces too: the request after the empty lines is parsed from its first byte.
    const { receive: receivePiece, socket } = setUp();
    for (const piece of ["\r", "\n", "\0"]) receivePiece(piece);
    assert.deepEqual(socket.statuses, ["400"]);
  });

  it("is closed after an invalid body, and its call is canceled", () => {
    const { receive, requests, socket, connection } = setUp();
    receive("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello");
    receive("!!");
    assert.equal(socket.destroyed, true);
    connection.onClose();
    assert.deepEqual(socket.statuses, []);
    assert.equal((requests[0] as SeenRequest).closedBy, "the client closed the connection");
    receive(get);
    assert.equal(requests.length, 1);
  });

  it("sends 100 Continue for a valid head if the client expects it", () => {
    const { receive, socket } = setUp();
    receive("POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n");
    assert.equal(socket.sent, "HTTP/1.1 100 Continue\r\n\r\n");
    receive("hello");
    assert.deepEqual(socket.statuses, ["100", "200"]);
    assert.equal(socket.destroyed, false);
  });

  it("closes after a final response without 100 Continue, because the body may still follow", () => {
    const { receive, socket } = setUp({ onHead: (exchange) => answer(exchange, 413) });
    receive("POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n");
    assert.deepEqual(socket.statuses, ["413"]);
    assert.match(socket.sent, /\r\nconnection: close\r\n/);
    assert.equal(socket.destroyed, true);
  });

  it("reads large data over several turns of the event loop, so that other connections are served in between", async () => {
    const { receive, socket } = setUp();
    receive("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 200000\r\n\r\n");
    receive("x".repeat(65_535));
    assert.equal(socket.isPaused, false);
    receive("x".repeat(65_536));
    assert.equal(socket.isPaused, true);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(socket.isPaused, false);
  });

  it("discards the body of a request after an early response, and serves the next request", () => {
    const { receive, requests, socket } = setUp({ onHead: (exchange) => answer(exchange, 413) });
    receive("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n");
    receive("x".repeat(50_000));
    assert.equal(socket.isPaused, false);
    receive(`${"x".repeat(50_000)}${get}`);
    assert.deepEqual(
      requests.map(({ text, body }) => text + body),
      ["POST /", "GET /a"],
    );
    assert.deepEqual(socket.statuses, ["413", "413"]);
  });

  it("half-closes immediately and reads the rest if it closes after an early response", () => {
    const { receive, requests, socket } = setUp({ onHead: (exchange) => answer(exchange, 413) });
    receive("POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 10\r\n\r\n");
    assert.deepEqual([socket.writableEnded, socket.destroyed], [true, false]);
    receive(`0123456789${get}`);
    assert.equal(socket.destroyed, true);
    assert.equal(requests.length, 1);
  });

  it("closes after the response if the client requests it or uses HTTP/1.0", () => {
    for (const text of ["GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"]) {
      const { receive, requests, socket } = setUp();
      receive(text + get);
      assert.deepEqual(socket.statuses, ["200"]);
      assert.match(socket.sent, /\r\nconnection: close\r\n/);
      assert.equal(socket.destroyed, true);
      assert.equal(requests.length, 1);
    }
  });

  it("cancels a call when its client closes or half-closes the connection", () => {
    const closed = setUp({ answers: false });
    closed.receive(get);
    closed.connection.onClose();
    assert.equal(closed.requests[0]?.closedBy, "the client closed the connection");
    const ended = setUp({ answers: false });
    ended.receive(get);
    ended.connection.onEnd();
    assert.equal(ended.socket.destroyed, true);
  });

  it("completes a response for a client that has half-closed", () => {
    const { receive, connection, requests, socket } = setUp({ answers: false });
    receive(get);
    socket.writableNeedDrain = true;
    const { exchange } = requests[0] as SeenRequest;
    exchange.sendHead(200, ["content-length", "100000"]);
    exchange.end(Buffer.alloc(100_000));
    connection.onEnd();
    assert.equal(socket.destroyed, false);
    socket.writableNeedDrain = false;
    connection.onDrain();
    assert.ok(socket.sent.length > 100_000);
    assert.equal(socket.destroyed, true);
  });

  it("closes when draining: immediately if idle, otherwise after the response", () => {
    const idle = setUp();
    idle.receive(get);
    idle.connection.drain();
    assert.equal(idle.socket.destroyed, true);
    const busy = setUp({ answers: false });
    busy.receive(get);
    busy.owner.isClosing = true;
    busy.connection.drain();
    assert.equal(busy.socket.destroyed, false);
    answer((busy.requests[0] as SeenRequest).exchange);
    assert.match(busy.socket.sent, /\r\nconnection: close\r\n/);
    assert.equal(busy.socket.destroyed, true);
  });

  it("is closed if its client is too slow, with 408 for an incomplete request without a response", () => {
    const silent = setUp();
    assert.equal(silent.connection.check(10_001), "request head too slow");
    assert.deepEqual([silent.socket.sent, silent.socket.destroyed], ["", true]);
    const slow = setUp();
    slow.receive("GET / HT");
    assert.equal(slow.connection.check(10_001), "request head too slow");
    assert.deepEqual([slow.socket.statuses, slow.socket.destroyed], [["408"], true]);
    const answered = setUp({ onHead: (exchange) => exchange.sendHead(200, []) });
    answered.receive("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n");
    assert.equal(answered.connection.check(0), undefined);
    assert.equal(answered.connection.check(20_000), "request body too slow");
    assert.deepEqual([answered.socket.statuses, answered.socket.destroyed], [[], true]);
  });

  it("closes and cancels its call if the request handler throws", () => {
    const { receive, socket, faults } = setUp({
      onHead() {
        throw new Error("a bug");
      },
    });
    receive(get + get);
    assert.equal(socket.destroyed, true);
    assert.equal(faults.length, 1);
  });
});

describe("h1spec", () => {
  const hello = "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n";

  it("waits for the rest of a request that is cut at any byte", () => {
    for (let end = 1; end < hello.length; end++) {
      const { receive, requests, socket } = setUp();
      receive(hello.slice(0, end));
      assert.deepEqual([requests.length, socket.sent, socket.destroyed], [0, "", false], hello.slice(0, end));
    }
  });

  const fields = (...lines: readonly string[]) => ["Host: example.com", ...lines, "", ""].join("\r\n");
  for (const [title, request, ...statuses] of [
    ["a line without a version", "GET / \r\n\r\n", "400"],
    ["a request that expects 100", `GET / HTTP/1.1\r\n${fields("Expect: 100-continue")}`, "200"],
    ["names in any case, a tab, a field without a value", "GET / HTTP/1.1\r\nhoSt:\ta\r\nempty:\r\n\r\n", "200"],
    ["brackets in a name", `GET / HTTP/1.1\r\n${fields("X-Invalid[]: test")}`, "400"],
    ["no host", "GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", "400"],
    ["two hosts", `GET / HTTP/1.1\r\n${fields("Host: example.org")}`, "400"],
    ["a length far below zero", `GET / HTTP/1.1\r\n${fields(`Content-Length: -${"123456789".repeat(3)}`)}`, "400"],
    ["a length below zero", `GET / HTTP/1.1\r\n${fields("Content-Length: -1234")}`, "400"],
    ["a length that is not a number", `GET / HTTP/1.1\r\n${fields("Content-Length: abc")}`, "400"],
    ["a blank for a value", `GET / HTTP/1.1\r\n${fields("X-Empty-Header: ")}`, "200"],
    ["a control character in a value", `GET / HTTP/1.1\r\n${fields("X-Bad-Control-Char: test\x07")}`, "400"],
    ["a version of its own", `GET / HTTP/9.9\r\n${fields()}`, "505"],
    ["something before the line", `Extra lineGET / HTTP/1.1\r\n${fields()}`, "400"],
    ["a line end without its LF", `GET / HTTP/1.1\r\nHost: a\r\n\rSome-Header: Test\r\n\r\n`, "400"],
    ["a body with a length", `POST / HTTP/1.1\r\n${fields("Content-Length: 5")}hello`, "200"],
    [
      "a chunked body",
      `POST / HTTP/1.1\r\n${fields("Transfer-Encoding: chunked")}c\r\nHellO world1\r\n0\r\n\r\n`,
      "200",
    ],
    [
      "a length and a coding, in any case",
      `POST / HTTP/1.1\r\n${fields("content-LengtH: 5", "TransFer-Encoding: chunked")}c\r\nHellO world1\r\n0\r\n\r\n`,
      "400",
    ],
  ] as const) {
    it(`answers ${title} with ${statuses}`, () => {
      const { receive, socket } = setUp();
      receive(request);
      assert.deepEqual(socket.statuses, statuses);
    });
  }
});

describe("a WebSocket handshake", () => {
  const upgrade = "GET /s HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\nx: 1\r\nx: 2\r\n\r\n";

  it("passes on the connection with the bytes after the head", () => {
    let seen: UpgradeRequest | undefined;
    const { receive, socket, connection, requests } = setUp({
      onUpgrade(_, request) {
        seen = request;
        request.accept();
      },
    });
    receive(`${upgrade}\x81\x00`);
    assert.deepEqual([...(seen?.head ?? [])], [0x81, 0]);
    assert.deepEqual([seen?.request.method, seen?.request.url], ["GET", "/s"]);
    assert.equal(seen?.request.headers.upgrade, "websocket");
    assert.equal(seen?.request.headers.x, "1, 2");
    receive(get);
    connection.drain();
    assert.deepEqual([requests.length, socket.sent, socket.destroyed], [0, "", false]);
  });

  it("closes the connection after it is refused", () => {
    const { receive, socket } = setUp({ onUpgrade: (exchange) => answer(exchange, 404) });
    receive(upgrade + get);
    assert.deepEqual(socket.statuses, ["404"]);
    assert.equal(socket.destroyed, true);
  });

  it("is refused with a body or with another method than GET", () => {
    for (const text of [
      upgrade.replace("GET", "POST"),
      upgrade.replace("x: 1", "content-length: 1"),
      upgrade.replace("x: 1", "transfer-encoding: chunked"),
    ]) {
      const { receive, socket } = setUp({ onUpgrade: (_, request) => request.accept() });
      receive(text);
      assert.deepEqual(socket.statuses, ["400"]);
    }
  });

  it("is served as a normal request without WebSockets", () => {
    const { receive, requests } = setUp();
    receive(upgrade);
    assert.equal(requests.length, 1);
  });
});
