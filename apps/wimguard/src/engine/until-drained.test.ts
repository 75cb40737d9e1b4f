import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { describe, it } from "node:test";
import { untilDrained } from "./until-drained.ts";

describe("untilDrained", () => {
  let take = (): void => {};
  const createSlow = () =>
    new Writable({
      highWaterMark: 1,
      write(_chunk, _encoding, done) {
        take = done;
      },
    });

  it("resolves when there is room, and leaves nothing on the stream", async () => {
    const stream = createSlow();
    await untilDrained(stream);
    for (let at = 0; at < 3; at++) {
      stream.write("ab");
      const drained = untilDrained(stream);
      assert.equal(stream.listenerCount("drain"), 1);
      take();
      await drained;
    }
    assert.deepEqual(
      ["drain", "close", "error"].map((event) => stream.listenerCount(event)),
      [0, 0, 0],
    );
  });

  it("resolves when the program has ended", async () => {
    const stream = createSlow();
    stream.on("error", () => {});
    stream.write("ab");
    const drained = untilDrained(stream);
    stream.destroy(new Error("EPIPE"));
    await drained;
    await untilDrained(stream);
    assert.equal(stream.listenerCount("close"), 0);
  });
});
