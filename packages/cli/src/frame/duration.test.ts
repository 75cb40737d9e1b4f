import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatDuration, parseTimerMs, readDuration } from "./duration.ts";
import type { CommandFailure } from "./failure.ts";

describe("a duration", () => {
  it("is read up to what a timer holds", () => {
    assert.equal(parseTimerMs("2147483647ms"), 2_147_483_647);
    assert.equal(parseTimerMs("2147483648ms"), undefined);
  });

  it("is refused as an option with the way to write it, and when it is no time at all", () => {
    const refusal = (text: string): string => {
      try {
        readDuration("--timeout", text);
      } catch (error) {
        return (error as CommandFailure).message;
      }
      return "";
    };
    assert.equal(refusal("30"), 'invalid --timeout "30": add a unit: 30s');
    assert.equal(refusal("soon"), 'invalid --timeout "soon": expected a duration such as 500ms, 30s or 2m');
    assert.match(refusal("0s"), /^invalid --timeout "0s"/);
    assert.equal(readDuration("--timeout", "1ms"), 1);
  });

  it("is printed as long as a person needs it", () => {
    const printed = [0.0005, 0.42, 3.456, 340.4, 1250, 30_000, 59_994, 125_000].map(formatDuration);
    assert.deepEqual(printed, ["1 µs", "420 µs", "3.46 ms", "340 ms", "1.25 s", "30 s", "59.99 s", "2 min 5 s"]);
  });
});
