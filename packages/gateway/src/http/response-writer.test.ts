import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatResponseHead } from "./response-head.ts";
import { ResponseWriter } from "./response-writer.ts";

/** A socket that accepts a number of bytes, and more when the test reads. */
class FakeSocket {
  readonly pieces: string[] = [];
  readonly destroyed = false;
  readonly writableEnded = false;
  room: number;

  constructor(room = Number.POSITIVE_INFINITY) {
    this.room = room;
  }

  get writableNeedDrain(): boolean {
    return this.room <= 0;
  }

  get writableLength(): number {
    return Math.max(0, -this.room);
  }

  get text(): string {
    return this.pieces.join("").replace(/date: [^\r]*\r\n/, "");
  }

  write(bytes: Uint8Array): boolean {
    this.pieces.push(Buffer.from(bytes).toString("latin1"));
    this.room -= bytes.length;
    return this.room > 0;
  }
}

const get = { method: "GET", version: "1.1" } as const;

function begin(
  fields: readonly string[],
  {
    request = get,
    status = 200,
    room,
  }: { request?: Parameters<typeof formatResponseHead>[0]; status?: number; room?: number } = {},
) {
  const socket = new FakeSocket(room);
  const writer = new ResponseWriter(socket as unknown as ConstructorParameters<typeof ResponseWriter>[0]);
  writer.begin(formatResponseHead(request, status, fields, false));
  return { socket, writer };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe("a response over HTTP/1.1", () => {
  it("is sent in one piece if it is complete at once", async () => {
    const { socket, writer } = begin(["content-length", "5"]);
    assert.equal(writer.end(Buffer.from("hello")), true);
    await nextTurn();
    assert.equal(socket.pieces.length, 1);
    assert.equal(socket.text, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
    assert.equal(writer.isDone, true);
  });

  it("gets a content-length if it has none", () => {
    const { socket, writer } = begin([]);
    writer.data(Buffer.from("hel"));
    writer.end(Buffer.from("lo"));
    assert.equal(socket.text, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
  });

  it("streams its head first, then one chunk for each turn of the event loop", async () => {
    const { socket, writer } = begin([]);
    await nextTurn();
    assert.equal(socket.text, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    writer.data(Buffer.from("hello "));
    writer.data(Buffer.from("chunks"));
    assert.equal(socket.pieces.length, 1);
    await nextTurn();
    assert.equal(socket.pieces[1], "c\r\nhello chunks\r\n");
    writer.end(Buffer.from("!"));
    assert.equal(socket.pieces[2], "1\r\n!\r\n0\r\n\r\n");
    assert.equal(socket.pieces.length, 3);
  });

  it("ends with the connection for an HTTP/1.0 client", async () => {
    const { socket, writer } = begin([], { request: { method: "GET", version: "1.0" } });
    writer.data(Buffer.from("hello"));
    await nextTurn();
    writer.end(undefined);
    assert.equal(socket.text, "HTTP/1.1 200 OK\r\n\r\nhello");
    assert.equal(writer.endsWithConnection, true);
  });

  it("has no body for HEAD, 204 and 304", () => {
    for (const [request, status] of [
      [{ method: "HEAD", version: "1.1" }, 200],
      [get, 204],
      [get, 304],
    ] as const) {
      const { socket, writer } = begin(["etag", "a"], { request, status });
      assert.equal(writer.end(Buffer.from("hello")), true);
      assert.match(socket.text, /^HTTP\/1\.1 \d+ [A-Za-z ]+\r\netag: a\r\n\r\n$/);
    }
  });

  it("is not completed if the body does not match its content-length", () => {
    for (const text of ["hell", "hello!"]) {
      const { writer } = begin(["content-length", "5"]);
      assert.equal(writer.end(Buffer.from(text)), false, text);
    }
  });

  it("waits while the client does not read, and writes at most 64 KiB to the socket at a time", () => {
    const body = Buffer.alloc(1_000_000, "a");
    const { socket, writer } = begin(["content-length", String(body.length)], { room: 1 });
    writer.end(body);
    assert.equal(writer.isDone, false);
    assert.ok(socket.text.length <= 64 * 1024, `${socket.text.length} bytes`);
    while (!writer.isDone) {
      socket.room = 1;
      writer.pump();
      assert.ok((socket.pieces.at(-1) as string).length <= 64 * 1024);
    }
    assert.equal(socket.text.length, "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n".length + body.length);
  });

  it("keeps its order if a stream is faster than its client", async () => {
    const { socket, writer } = begin([], { room: 1 });
    await nextTurn();
    let expected = "";
    for (let at = 0; at < 10; at++) {
      expected += `${at}`.repeat(20_000);
      assert.equal(writer.data(Buffer.from(`${at}`.repeat(20_000))), false);
    }
    writer.end(undefined);
    while (!writer.isDone) {
      socket.room = 1;
      writer.pump();
    }
    const [, body = ""] = socket.text.split(/\r\n\r\n([\s\S]*)/);
    assert.equal(body.replaceAll(/[0-9a-f]+\r\n([0-9]*)\r\n/g, "$1").replace(/\r\n$/, ""), expected);
  });

  it("cannot have a field with a line break", () => {
    for (const [name, value] of [
      ["a", "b\r\nset-cookie: c"],
      ["a", "b\nc"],
      ["a\r\nb", "c"],
      ["A", "c"],
      ["a", "\u20ac"],
    ] as const) {
      assert.throws(() => formatResponseHead(get, 200, [name, value], false), TypeError);
    }
  });

  it("ignores the handler's framing fields", () => {
    const { text } = formatResponseHead(get, 200, ["transfer-encoding", "gzip", "keep-alive", "timeout=5"], true);
    assert.match(text, /^HTTP\/1\.1 200 OK\r\ndate: [^\r]+\r\nconnection: close\r\n$/);
  });
});
