// Most connections of a server are idle most of the time: what they hold is what bounds how many there can be.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { ByteChannel } from "../src/connection/byte-channel.ts";
import { Connection } from "../src/connection/connection.ts";
import { SharedOutput } from "../src/connection/flow/shared-output.ts";
import { GrowthAllowance } from "../src/connection/flow/window-growth.ts";
import { defaultLimits } from "../src/connection/limits.ts";
import { Ticker } from "../src/connection/time/ticker.ts";
import { FakeClock } from "../src/testing/index.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Takes what it is given and holds nothing, so that what is measured is the connection's alone. */
const nowhere: ByteChannel = {
  writableLength: 0,
  write(_bytes, written) {
    if (written !== undefined) setImmediate(written);
    return true;
  },
  cork() {},
  uncork() {},
  pause() {},
  resume() {},
  end() {},
  destroy() {},
};

/** Empty SETTINGS, the acknowledgement of ours, and a PING. */
const handshake = Buffer.from("0000000400000000000000000401000000000000080600000000000000000000000000", "hex");

/** A tenth more than it is, and less than the compression tables of one direction would make it. */
const maxIdleBytes = 3100;

async function heapBytes(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

test(`an idle connection of a server holds less than ${maxIdleBytes} bytes, its socket's aside`, async () => {
  const clock = new FakeClock();
  const options = {
    resolvedLimits: defaultLimits,
    clock,
    ticker: new Ticker(clock),
    growthAllowance: new GrowthAllowance(0),
    sharedOutput: new SharedOutput(defaultLimits.output),
  };
  const kept: Connection[] = [];
  const open = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const connection = new Connection("server", nowhere, {}, options);
      connection.receive(handshake);
      kept.push(connection);
    }
    await new Promise((resolve) => setImmediate(resolve));
  };
  // Code and tables that all share.
  await open(100);
  const before = await heapBytes();
  await open(2000);
  const perConnection = ((await heapBytes()) - before) / 2000;
  for (const connection of kept) assert.equal(connection.status().streamsStarted, 0);
  assert.ok(perConnection < maxIdleBytes, `${Math.round(perConnection)} bytes each`);
  for (const connection of kept) connection.socketClosed();
  assert.equal(clock.pendingTimers, 0);
});
