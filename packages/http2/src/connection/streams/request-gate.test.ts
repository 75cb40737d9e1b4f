import assert from "node:assert/strict";
import { test } from "node:test";
import type { Stream } from "../../stream/stream.ts";
import { LimitNotifier } from "../abuse/limit-notifier.ts";
import { SharedOutput } from "../flow/shared-output.ts";
import type { Http2Connection } from "../http2-connection.ts";
import { resolveLimits } from "../limits.ts";
import type { Outbound } from "../outbound.ts";
import { RequestGate } from "./request-gate.ts";

const limits = resolveLimits({ output: { maxWaitingBytes: 1000, sharedWaitingBytes: 10_000, streamBufferBytes: 100 } });

function openGate() {
  const outbound = { waitingBytes: 0 };
  const sharedOutput = new SharedOutput(limits.output);
  const reported: string[] = [];
  const events = {
    onLimit: ({ limit, action }: { limit: string; action: string }) => reported.push(`${limit} ${action}`),
  };
  const gate = new RequestGate({
    outbound: outbound as Outbound,
    sharedOutput,
    limits,
    limitNotifier: new LimitNotifier(events, {} as Http2Connection),
  });
  const begun: number[] = [];
  const streams = Array.from(
    { length: 20 },
    (_, nth) => ({ notifyAdmitted: () => begun.push(nth) }) as unknown as Stream,
  );
  const request = (nth: number, expectedBytes: number): void => {
    if (gate.admits(streams[nth] as Stream, expectedBytes)) begun.push(nth);
  };
  /** So much waits more, or less. */
  const wait = (bytes: number): void => {
    outbound.waitingBytes += bytes;
    sharedOutput.waitingBytes += bytes;
    if (bytes < 0) gate.onLessWaiting();
  };
  return { gate, sharedOutput, begun, reported, streams, request, wait };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("admits the requests of a turn up to the limit by what is expected of them, and the next in later turns, in order", async () => {
  const { begun, reported, request } = openGate();
  for (let nth = 0; nth < 8; nth++) request(nth, 500);
  // The third finds 1000 bytes, which is not over the limit.
  assert.deepEqual(begun, [0, 1, 2]);
  await turn();
  assert.deepEqual(begun, [0, 1, 2, 3, 4, 5]);
  request(8, 0);
  await turn();
  assert.deepEqual(begun, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  assert.deepEqual(reported, [], "a peer that takes its responses exceeds no limit");
});

test("counts what is expected for one turn only", () => {
  const { gate, begun, request } = openGate();
  for (let nth = 0; nth < 10; nth++) {
    gate.beginTurn();
    request(nth, 5000);
  }
  assert.equal(begun.length, 10);
});

test("holds requests beyond the limit of what waits, not at it, and reports it once until nothing waits", async () => {
  const { begun, reported, request, wait } = openGate();
  wait(1000);
  request(0, 0);
  wait(1);
  request(1, 0);
  await turn();
  assert.deepEqual([begun, reported], [[0], ["waiting_output paused"]]);
  wait(-1);
  await turn();
  wait(1);
  request(2, 0);
  assert.deepEqual([begun, reported], [[0, 1], ["waiting_output paused"]]);
  wait(-1001);
  await turn();
  wait(1001);
  request(3, 0);
  assert.deepEqual(
    [begun, reported],
    [
      [0, 1, 2],
      ["waiting_output paused", "waiting_output paused"],
    ],
  );
});

test("holds those first that hold the most where much waits on other connections, and none with up to 64 KiB", () => {
  for (const [own, others, isAdmitted] of [
    // A quarter of its own is left for all.
    [1000, 8750, true],
    [1000, 8751, false],
    [500, 9375, true],
    [500, 9376, false],
    [100, 1_000_000, true],
    [101, 1_000_000, false],
  ] as const) {
    const { begun, sharedOutput, request, wait } = openGate();
    sharedOutput.waitingBytes = others;
    wait(own);
    request(0, 0);
    assert.equal(begun.length === 1, isAdmitted, `${own} bytes, ${others} on others`);
  }
});

test("forgets a request whose stream has ended, and lets no later one past those that wait", async () => {
  const { gate, begun, request, streams, wait } = openGate();
  wait(1001);
  for (let nth = 0; nth < 3; nth++) request(nth, 0);
  gate.forget(streams[1] as Stream);
  wait(-1001);
  request(3, 0);
  assert.deepEqual(begun, []);
  await turn();
  assert.deepEqual(begun, [0, 2, 3]);
});
