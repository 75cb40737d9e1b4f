import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defaultHttp1Limits } from "./http1-limits.ts";
import { type ClientState, SlowClientWatch } from "./slow-client-watch.ts";

/** A client that a test looks at; it connects at 0. */
function setUp() {
  const socket = { bytesRead: 0, bytesWritten: 0, writableLength: 0 };
  const watch = new SlowClientWatch(socket, defaultHttp1Limits, 0);
  const state = { isServing: false, isRequestComplete: true, isInHead: false, isPaused: false, maySendSlowly: false };
  const at = (nowMs: number, change: Partial<ClientState> = {}) => watch.check(nowMs, Object.assign(state, change));
  return { socket, watch, at };
}

const sending = { isServing: true, isRequestComplete: false, isInHead: false };
const waiting = { isServing: false, isRequestComplete: true, isInHead: false };

describe("a client of HTTP/1.1", () => {
  it("may take 10 s for its first head, whether or not a part of it has come", () => {
    const silent = setUp();
    assert.equal(silent.at(10_000), undefined);
    assert.equal(silent.at(10_001), "request head too slow");
    const slow = setUp();
    assert.equal(slow.at(5000, { isInHead: true }), undefined);
    assert.equal(slow.at(10_001), "request head too slow");
  });

  it("may take 10 s for the head of a further request", () => {
    const { at, watch } = setUp();
    watch.turn();
    watch.turn();
    assert.equal(at(30_000, waiting), undefined);
    assert.equal(at(31_000, { isInHead: true }), undefined);
    assert.equal(at(41_000), undefined);
    assert.equal(at(41_001), "request head too slow");
  });

  it("may be idle for 75 s, counted from the last response", () => {
    const { at, watch } = setUp();
    watch.turn();
    watch.turn();
    assert.equal(at(5000, waiting), undefined);
    assert.equal(at(80_000), undefined);
    watch.turn();
    watch.turn();
    assert.equal(at(80_001), undefined);
    assert.equal(at(155_001), undefined);
    assert.equal(at(155_002), "idle");
  });

  it("is too slow with a body of less than 1 KiB/s after 10 s", () => {
    const { at, socket, watch } = setUp();
    watch.turn();
    assert.equal(at(0, sending), undefined);
    assert.equal(at(10_000), undefined);
    socket.bytesRead = 1024;
    assert.equal(at(11_000), undefined);
    assert.equal(at(11_001), "request body too slow");
  });

  it("may take its time with a stream, while it waits for a response, and where the call does not take what there is", () => {
    for (const change of [{ maySendSlowly: true }, { isPaused: true }, { isRequestComplete: true }]) {
      const { at, watch } = setUp();
      watch.turn();
      assert.equal(at(0, { ...sending, ...change }), undefined);
      assert.equal(at(1_000_000), undefined);
    }
  });

  it("has 30 s for the rest of a request that was answered", () => {
    const { at, socket, watch } = setUp();
    watch.turn();
    watch.turn();
    assert.equal(at(0, { isRequestComplete: false }), undefined);
    socket.bytesRead = 1_000_000;
    assert.equal(at(30_000), undefined);
    assert.equal(at(30_001), "the client does not end its request after the response");
  });

  it("may take 30 s without reading anything of a response; one that reads a little may go on", () => {
    const { at, socket, watch } = setUp();
    watch.turn();
    socket.writableLength = 1;
    socket.bytesWritten = 5;
    assert.equal(at(1000, { isServing: true }), undefined);
    assert.equal(at(31_000), undefined);
    socket.bytesWritten = 6;
    assert.equal(at(31_001), undefined);
    assert.equal(at(61_001), undefined);
    assert.equal(at(61_002), "the client does not read the response");
  });
});
