// Slabs are used again without being cleared: what they held before must not show in what a connection sends.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { frameSlabs, outputSlabs, type SlabPool } from "../../src/bytes/slab-pool.ts";
import { CheckedConnection } from "./checked-connection.ts";
import { propertyOptions } from "./property-options.ts";
import { recordedSession } from "./random-frames.ts";
import { createRecordings, type Recording } from "./recordings.ts";

const slabsOfPool = 32;

function fillPool(pool: SlabPool, value: number): void {
  const slabs = Array.from({ length: slabsOfPool }, () => pool.take());
  for (const slab of slabs) {
    slab.fill(value);
    pool.give(slab);
  }
}

/** What is sent when all memory that a connection is lent holds this value. */
async function wireWith(value: number, { role, script, bytes }: Omit<Recording, "name">): Promise<string> {
  fillPool(outputSlabs, value);
  fillPool(frameSlabs, value);
  const checked = new CheckedConnection({ role, script });
  // In two parts, so that a frame is cut and waits in a slab.
  const half = bytes.length >>> 1;
  checked.deliver(new Uint8Array(bytes.subarray(0, half)));
  await new Promise((resolve) => setImmediate(resolve));
  checked.deliver(new Uint8Array(bytes.subarray(half)));
  await checked.finish();
  return Buffer.concat(checked.wire).toString("hex");
}

describe("a connection sends the same whatever its memory held before", () => {
  for (const recording of createRecordings()) {
    test(recording.name, async () => {
      const wire = await wireWith(0, recording);
      assert.ok(wire.length > 0);
      assert.equal(await wireWith(0xa5, recording), wire);
    });
  }

  test("in sessions of any frames", async () => {
    await fc.assert(
      fc.asyncProperty(recordedSession, async (session) => {
        assert.equal(await wireWith(0xa5, session), await wireWith(0, session));
      }),
      propertyOptions(50),
    );
  });
});
