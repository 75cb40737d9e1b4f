import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { CheckedConnection } from "./checked-connection.ts";
import { conducts } from "./checked-listener.ts";
import { scanFrames } from "./frame-scan.ts";
import { propertyOptions } from "./property-options.ts";
import { frameSequence, recordedSession } from "./random-frames.ts";
import { StreamModel } from "./stream-model.ts";

/** Server: every request is answered once it is complete. */
const answering = Uint8Array.of(conducts.indexOf("answer at the end"));

/** Small initial windows hold answers back, which the model knows nothing of. */
function answersLeave(bytes: Buffer): boolean {
  for (const { type, payload } of scanFrames(bytes).frames) {
    if (type !== settingsType) continue;
    for (let at = 0; at + 6 <= payload.length; at += 6) {
      const entry = Buffer.from(payload.buffer, payload.byteOffset + at, 6);
      if (entry.readUInt16BE(0) === initialWindowSetting && entry.readUInt32BE(2) < initialWindowBytes) return false;
    }
  }
  return true;
}

const settingsType = 4;
const initialWindowSetting = 4;
const initialWindowBytes = 65_535;

describe("frames in any order", () => {
  test("do what the model of RFC 9113 says", async () => {
    let opened = 0;
    await fc.assert(
      fc.asyncProperty(frameSequence.filter(answersLeave), async (bytes) => {
        const model = new StreamModel();
        model.receive(bytes);
        const checked = new CheckedConnection({ role: "server", script: answering });
        checked.deliver(bytes);
        await checked.settle();

        const told = checked.events.map((event) => event.split(" ", 2) as [string, string]);
        const idsOf = (what: string): number[] => told.filter(([, event]) => event === what).map(([id]) => Number(id));
        assert.deepEqual(idsOf("request"), model.opened, "opened");
        assert.deepEqual(idsOf("end"), model.ended, "ended");
        const resets = checked.frames.flatMap((frame) =>
          frame.type === "RST_STREAM" ? [[frame.streamId, frame.code]] : [],
        );
        assert.deepEqual(resets, model.resets, "reset");
        assert.equal(checked.isOver, model.end !== undefined, "over");
        if (typeof model.end === "number") assert.equal(checked.goawayCode, model.end, "the GOAWAY's code");
        else assert.equal(checked.goawayCode, undefined);
        await checked.finish();
        opened += model.opened.length;
      }),
      propertyOptions(3000),
    );
    assert.ok(opened > 5000, `only ${opened} streams were opened`);
  });

  test("break no promise, whatever the application does meanwhile", async () => {
    await fc.assert(
      fc.asyncProperty(recordedSession, fc.boolean(), async ({ role, script, bytes }, waits) => {
        const checked = new CheckedConnection({ role, script });
        checked.deliver(bytes);
        if (waits) checked.clock.advance(20_000);
        await checked.finish();
      }),
      propertyOptions(3000),
    );
  });

  test("break no promise when their bytes are changed", async () => {
    const change = fc.tuple(fc.nat(600), fc.integer({ min: 0, max: 255 }));
    await fc.assert(
      fc.asyncProperty(recordedSession, fc.array(change, { minLength: 1, maxLength: 6 }), async (session, changes) => {
        const bytes = Buffer.from(session.bytes);
        // Behind the first frame, or few connections would get to anything.
        for (const [at, byte] of changes) if (9 + at < bytes.length) bytes[9 + at] = byte;
        const checked = new CheckedConnection({ role: session.role, script: session.script });
        checked.deliver(bytes);
        await checked.finish();
      }),
      propertyOptions(3000),
    );
  });
});
