import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorCode } from "../errors/error-code.ts";
import {
  afterEndError,
  afterReceivingEnd,
  afterReset,
  afterSendingEnd,
  idleError,
  mayReceive,
  maySend,
  StreamState,
} from "./state.ts";

const { open, halfClosedLocal, halfClosedRemote, closed } = StreamState;

// RFC 9113 §5.1, one row for each state.
const rows = [
  { name: "open", state: open, sent: halfClosedLocal, received: halfClosedRemote, sends: true, receives: true },
  { name: "half-closed (local)", state: halfClosedLocal, sent: closed, received: closed, sends: false, receives: true },
  {
    name: "half-closed (remote)",
    state: halfClosedRemote,
    sent: closed,
    received: closed,
    sends: true,
    receives: false,
  },
  { name: "closed", state: closed, sent: closed, received: closed, sends: false, receives: false },
] as const;

for (const { name, state, sent, received, sends, receives } of rows) {
  test(`knows what may happen in the state ${name} and what comes next`, () => {
    assert.equal(afterSendingEnd(state), sent);
    assert.equal(afterReceivingEnd(state), received);
    assert.equal(afterReset(), closed);
    assert.equal(maySend(state), sends);
    assert.equal(mayReceive(state), receives);
  });
}

test("makes a frame after the end an error of the stream, and one on an idle stream an error of the connection", () => {
  const late = afterEndError(3);
  assert.deepEqual([late.scope, late.code, late.blame], ["stream", ErrorCode.streamClosed, "peer"]);
  const idle = idleError(5, "DATA");
  assert.deepEqual([idle.scope, idle.code, idle.blame], ["connection", ErrorCode.protocolError, "peer"]);
});
