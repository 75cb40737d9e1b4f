// What a slow server makes honest clients do costs them little, and a flood of it costs the connection.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorCode } from "../src/index.ts";
import { createScriptedServer, type ScriptedConnection, type ScriptedOptions } from "../src/testing/index.ts";
import { post } from "./example-fields.ts";

/** A server all of whose streams are at their end when they are reset. */
const endingSoon: ScriptedOptions = {
  onStream: (recorded) => Object.assign(recorded, { isResetExpected: () => true }),
};

/** A server of which a handler has outlived its stream and takes all there may be. */
async function openBusy(): Promise<ScriptedConnection> {
  const scripted = createScriptedServer({
    limits: { streams: { maxConcurrent: 1 } },
    onStream: (_recorded, stream) => stream.hold(),
  });
  await scripted.peer.shakeHands();
  scripted.peer.sendHeaders(1, post);
  scripted.peer.sendReset(1, ErrorCode.cancel);
  return scripted;
}

/** `act` for so many streams. */
async function repeat({ settle }: ScriptedConnection, from: number, count: number, act: (id: number) => void) {
  for (let nth = 0; nth < count; nth++) {
    act(from + 2 * nth);
    if (nth % 500 === 0) await settle();
  }
  await settle();
}

test("bears 20,000 resets of streams at their end at once and 10,000 a second, and ends the connection at the next", async () => {
  const scripted = createScriptedServer(endingSoon);
  const { peer, clock, connection } = scripted;
  await peer.shakeHands();
  const openAndReset = (id: number): void => {
    peer.sendHeaders(id, post);
    peer.sendReset(id, ErrorCode.cancel);
  };
  await repeat(scripted, 1, 20_000, openAndReset);
  clock.advance(1000);
  await repeat(scripted, 40_001, 10_000, openAndReset);
  assert.equal(connection.isClosed, false);
  openAndReset(60_001);
  await peer.expectGoaway(ErrorCode.enhanceYourCalm, "too_many_resets");
});

test("refuses 20,000 requests at once because of handlers and 10,000 a second, and ends the connection at the next", async () => {
  const scripted = await openBusy();
  const { peer, clock, events, connection } = scripted;
  const request = (id: number): void => peer.sendHeaders(id, post, { endStream: true });
  await repeat(scripted, 3, 20_000, request);
  clock.advance(1000);
  await repeat(scripted, 40_003, 10_000, request);
  assert.equal(connection.isClosed, false);
  assert.equal(events.streams.size, 1);
  request(60_003);
  await peer.expectGoaway(ErrorCode.enhanceYourCalm, "too_many_refused_streams");
});

test("keeps a client of which 2,000 calls a second time out and as many are refused, for as long as that takes", async () => {
  const scripted = createScriptedServer(endingSoon);
  const busy = await openBusy();
  await scripted.peer.shakeHands();
  for (let second = 0; second < 15; second++) {
    await repeat(scripted, 1 + 4000 * second, 2000, (id) => {
      scripted.peer.sendHeaders(id, post);
      scripted.peer.sendReset(id, ErrorCode.cancel);
    });
    await repeat(busy, 3 + 4000 * second, 2000, (id) => busy.peer.sendHeaders(id, post, { endStream: true }));
    scripted.clock.advance(1000);
    busy.clock.advance(1000);
  }
  assert.deepEqual([scripted.connection.isClosed, busy.connection.isClosed], [false, false]);
});
