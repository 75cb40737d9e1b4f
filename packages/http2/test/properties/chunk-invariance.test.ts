import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { CheckedConnection } from "./checked-connection.ts";
import { propertyOptions } from "./property-options.ts";
import { recordedSession } from "./random-frames.ts";
import { createRecordings, type Recording } from "./recordings.ts";
import { inTurns, type Turns } from "./turns.ts";

/** What the layer above was told, and what was written. */
interface Account {
  events: readonly string[];
  wire: string;
}

/** With the recordings, more than two hundred. */
const randomSessions = 190;

type Session = Omit<Recording, "name">;

/** Delivers the bytes cut at these offsets, in turns of the event loop of their own. */
async function play(session: Session, cuts: readonly number[]): Promise<Account> {
  const [account] = await inTurns([playing(session, cuts)]);
  return account as Account;
}

/** Cuts the bytes at every place there is, each time for a connection of its own. */
async function expectSameAtEveryPlace(session: Session, whole: Account): Promise<void> {
  const places = Array.from({ length: session.bytes.length - 1 }, (_, at) => at + 1);
  const accounts = await withoutStacks(() => inTurns(places.map((at) => playing(session, [at]))));
  accounts.forEach((account, index) => {
    assert.deepEqual(account, whole, `${session.bytes.toString("hex")} cut at ${places[index]}`);
  });
}

/** The errors of sixty thousand connections are compared by what they say; telling where each was made takes longer. */
async function withoutStacks<T>(run: () => Promise<T>): Promise<T> {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return await run();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function* playing({ role, script, bytes }: Session, cuts: readonly number[]): Turns<Account> {
  const checked = new CheckedConnection({ role, script });
  let from = 0;
  for (const at of [...cuts, bytes.length]) {
    // As from a socket: in memory of its own, with nothing after the chunk.
    if (at > from) checked.deliver(new Uint8Array(bytes.subarray(from, at)));
    from = at;
    if (from < bytes.length) yield;
  }
  yield* checked.finishing();
  return { events: checked.events, wire: Buffer.concat(checked.wire).toString("hex") };
}

describe("a connection does the same whatever way the bytes are cut", () => {
  for (const recording of createRecordings()) {
    test(`${recording.name}, at every place`, async () => {
      const whole = await play(recording, []);
      assert.ok(whole.events.length > 2, "the recording has to say something");
      await expectSameAtEveryPlace(recording, whole);
    });

    test(`${recording.name}, byte by byte`, async () => {
      const everywhere = Array.from({ length: recording.bytes.length - 1 }, (_, at) => at + 1);
      assert.deepEqual(await play(recording, everywhere), await play(recording, []));
    });
  }

  test("many sessions of any frames, at every place", async () => {
    const short = recordedSession.filter(({ bytes }) => bytes.length < 800);
    for (const session of fc.sample(short, propertyOptions(randomSessions))) {
      await expectSameAtEveryPlace(session, await play(session, []));
    }
  });

  test("sessions of any frames, at any places", async () => {
    await fc.assert(
      fc.asyncProperty(recordedSession, fc.array(fc.nat(2000), { maxLength: 12 }), async (session, cuts) => {
        const inside = [...new Set(cuts)].filter((at) => at < session.bytes.length).sort((a, b) => a - b);
        assert.deepEqual(await play(session, inside), await play(session, []));
      }),
      propertyOptions(400),
    );
  });
});
