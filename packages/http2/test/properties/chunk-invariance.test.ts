import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { CheckedConnection } from "./checked-connection.ts";
import { propertyOptions } from "./property-options.ts";
import { recordedSession } from "./random-frames.ts";
import { createRecordings, type Recording } from "./recordings.ts";

/** What the layer above was told, and what was written. */
interface Account {
  events: readonly string[];
  wire: string;
}

/** With the recordings, more than two hundred. */
const randomSessions = 190;

/** Delivers the octets cut at these offsets, in turns of the event loop of their own. */
async function play({ role, script, octets }: Omit<Recording, "name">, cuts: readonly number[]): Promise<Account> {
  const checked = new CheckedConnection({ role, script });
  let from = 0;
  for (const at of [...cuts, octets.length]) {
    // As from a socket: in memory of its own, with nothing behind the chunk.
    if (at > from) checked.deliver(new Uint8Array(octets.subarray(from, at)));
    from = at;
    if (from < octets.length) await new Promise((resolve) => setImmediate(resolve));
  }
  await checked.finish();
  return { events: checked.events, wire: Buffer.concat(checked.wire).toString("hex") };
}

describe("a connection does the same whatever way the octets are cut", () => {
  for (const recording of createRecordings()) {
    test(`${recording.name}, at every place`, async () => {
      const whole = await play(recording, []);
      assert.ok(whole.events.length > 2, "the recording has to say something");
      for (let at = 1; at < recording.octets.length; at++) {
        assert.deepEqual(await play(recording, [at]), whole, `cut at ${at}`);
      }
    });

    test(`${recording.name}, octet by octet`, async () => {
      const everywhere = Array.from({ length: recording.octets.length - 1 }, (_, at) => at + 1);
      assert.deepEqual(await play(recording, everywhere), await play(recording, []));
    });
  }

  test("many sessions of any frames, at every place", async () => {
    const short = recordedSession.filter(({ octets }) => octets.length < 800);
    for (const session of fc.sample(short, propertyOptions(randomSessions))) {
      const whole = await play(session, []);
      for (let at = 1; at < session.octets.length; at++) {
        assert.deepEqual(await play(session, [at]), whole, `${session.octets.toString("hex")} cut at ${at}`);
      }
    }
  });

  test("sessions of any frames, at any places", async () => {
    await fc.assert(
      fc.asyncProperty(recordedSession, fc.array(fc.nat(2000), { maxLength: 12 }), async (session, cuts) => {
        const inside = [...new Set(cuts)].filter((at) => at < session.octets.length).sort((a, b) => a - b);
        assert.deepEqual(await play(session, inside), await play(session, []));
      }),
      propertyOptions(400),
    );
  });
});
