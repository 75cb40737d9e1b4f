import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { defaultHttp1Limits, Http1Connection } from "./http1-connection.ts";
import type { Http1Exchange } from "./http1-exchange.ts";

/** A connection whose socket and clock the test sets. */
function setUp() {
  const socket = {
    ...{ bytesRead: 0, bytesWritten: 0, writableLength: 0, isDestroyed: false, sent: "" },
    end(text: string) {
      socket.sent = text;
    },
    destroy() {
      socket.isDestroyed = true;
    },
    destroySoon() {
      socket.isDestroyed = true;
    },
  };
  const time = { nowMs: 0 };
  const connection = new Http1Connection(
    socket as unknown as Socket,
    defaultHttp1Limits,
    () => time.nowMs,
    () => {},
  );
  const exchange = { isRequestComplete: false, isPaused: false, maySendSlowly: false, isHeadSent: false };
  const begin = () => connection.begin(exchange as unknown as Http1Exchange);
  const at = (nowMs: number) => {
    time.nowMs = nowMs;
    return connection.check();
  };
  return { socket, connection, exchange, begin, at, time };
}

describe("an HTTP/1.1 connection", () => {
  it("is cut off when a head takes longer than 10 s", () => {
    const { at, socket } = setUp();
    assert.equal(at(10_000), undefined);
    assert.equal(at(10_001), "a request comes too slowly");
    assert.equal(socket.isDestroyed, true);
  });

  it("is cut off when it is idle for longer than 75 s, counted from the last response", () => {
    const { at, begin, connection, time } = setUp();
    begin();
    time.nowMs = 5000;
    connection.exchangeEnded();
    assert.equal(at(80_000), undefined);
    assert.equal(at(80_001), "idle");
  });

  it("is cut off when the head of a further request takes longer than 10 s", () => {
    const { at, begin, connection, socket } = setUp();
    begin();
    connection.exchangeEnded();
    assert.equal(at(30_000), undefined);
    socket.bytesRead = 1;
    assert.equal(at(31_000), undefined);
    assert.equal(at(41_000), undefined);
    assert.equal(at(41_001), "a request comes too slowly");
    assert.match(socket.sent, /^HTTP\/1\.1 408 Request Timeout\r\nconnection: close\r\n/);
    assert.equal(socket.isDestroyed, true);
  });

  it("is cut off when a body comes with less than 1 KiB/s after 10 s", () => {
    const { at, begin, socket } = setUp();
    begin();
    assert.equal(at(10_000), undefined);
    socket.bytesRead = 1024;
    assert.equal(at(11_000), undefined);
    assert.equal(at(11_001), "the request's body comes too slowly");
    assert.match(socket.sent, /^HTTP\/1\.1 408 /);
  });

  it("is closed without a word where nothing came, and where a response has begun", () => {
    const silent = setUp();
    assert.equal(silent.at(10_001), "a request comes too slowly");
    assert.equal(silent.socket.sent, "");
    const answered = setUp();
    answered.exchange.isHeadSent = true;
    answered.begin();
    answered.socket.bytesRead = 1;
    assert.equal(answered.at(11_001), "the request's body comes too slowly");
    assert.equal(answered.socket.sent, "");
    assert.equal(answered.socket.isDestroyed, true);
  });

  it("may take its time with a stream, and where the call does not take what there is", () => {
    for (const change of [{ maySendSlowly: true }, { isPaused: true }, { isRequestComplete: true }]) {
      const { at, begin, exchange } = setUp();
      Object.assign(exchange, change);
      begin();
      assert.equal(at(1_000_000), undefined);
    }
  });

  it("is cut off when its client takes nothing of a response for longer than 30 s", () => {
    const { at, begin, exchange, socket } = setUp();
    exchange.isRequestComplete = true;
    begin();
    socket.writableLength = 1;
    socket.bytesWritten = 5;
    assert.equal(at(1000), undefined);
    assert.equal(at(31_000), undefined);
    socket.bytesWritten = 6;
    assert.equal(at(31_001), undefined);
    assert.equal(at(61_001), undefined);
    assert.equal(at(61_002), "the client does not read the response");
  });

  it("takes 32 requests at once and no more", () => {
    const { begin, connection } = setUp();
    for (let at = 0; at < 32; at++) assert.equal(begin(), true);
    assert.equal(begin(), false);
    connection.exchangeEnded();
    assert.equal(begin(), true);
  });

  it("closes when it drains, once it is idle", () => {
    const { begin, connection, socket } = setUp();
    begin();
    connection.drain();
    assert.equal(socket.isDestroyed, false);
    connection.exchangeEnded();
    assert.equal(socket.isDestroyed, true);
  });
});
