import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defaultHttp1Limits } from "./http1-limits.ts";
import { type ClientState, SlowClientWatch } from "./slow-client-watch.ts";

/** A client that connects at time 0. */
function setUp() {
  const socket = { bytesRead: 0, bytesWritten: 0, writableLength: 0 };
  const watch = new SlowClientWatch(socket, defaultHttp1Limits, 0);
  const state = { isServing: false, isRequestComplete: true, isInHead: false, isPaused: false, maySendSlowly: false };
  const at = (nowMs: number, change: Partial<ClientState> = {}) => watch.check(nowMs, Object.assign(state, change));
  return { socket, watch, at };
}

const sending = { isServing: true, isRequestComplete: false, isInHead: false };
const waiting = { isServing: false, isRequestComplete: true, isInHead: false };

describe("SlowClientWatch", () => {
  it("allows 10 s for the first head, complete or not", () => {
    const silent = setUp();
    assert.equal(silent.at(10_000), undefined);
    assert.equal(silent.at(10_001), "request head too slow");
    const slow = setUp();
    assert.equal(slow.at(5000, { isInHead: true }), undefined);
    assert.equal(slow.at(10_001), "request head too slow");
  });

  it("allows 10 s for the head of a later request", () => {
    const { at, watch } = setUp();
    watch.turn();
    watch.turn();
    assert.equal(at(30_000, waiting), undefined);
    assert.equal(at(31_000, { isInHead: true }), undefined);
    assert.equal(at(41_000), undefined);
    assert.equal(at(41_001), "request head too slow");
  });

  it("allows 75 s of idle time after the last response", () => {
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

  it("requires 1 KiB/s of a body after 10 s", () => {
    const { at, socket, watch } = setUp();
    watch.turn();
    assert.equal(at(0, sending), undefined);
    assert.equal(at(10_000), undefined);
    socket.bytesRead = 1024;
    assert.equal(at(11_000), undefined);
    assert.equal(at(11_001), "request body too slow");
  });

  it("does not limit a stream, a client that waits for a response, and a body that the call does not read", () => {
    for (const change of [{ maySendSlowly: true }, { isPaused: true }, { isRequestComplete: true }]) {
      const { at, watch } = setUp();
      watch.turn();
      assert.equal(at(0, { ...sending, ...change }), undefined);
      assert.equal(at(1_000_000), undefined);
    }
  });

  it("allows 30 s for the rest of a request after its response", () => {
    const { at, socket, watch } = setUp();
    watch.turn();
    watch.turn();
    assert.equal(at(0, { isRequestComplete: false }), undefined);
    socket.bytesRead = 1_000_000;
    assert.equal(at(30_000), undefined);
    assert.equal(at(30_001), "the client does not end its request after the response");
  });

  it("allows 30 s without any read of a response", () => {
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
