import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatDuration, parseDuration, readDuration } from "./duration.ts";
import type { CommandFailure } from "./failure.ts";

describe("a duration", () => {
  it("is read in each unit, and in several at once", () => {
    const read = ["500ms", "1.5s", "2m", "1h", "1h30m", "1m0.5s", "0s"].map(parseDuration);
    assert.deepEqual(read, [500, 1500, 120_000, 3_600_000, 5_400_000, 60_500, 0]);
  });

  it("is not read without a unit, with an unknown one, or with anything around it", () => {
    for (const text of ["", "30", "s", "1d", "-1s", "1 s", " 1s", "1s ", "1e3s", "1.s", "٣s"]) {
      assert.equal(parseDuration(text), undefined, text);
    }
  });

  it("is read up to what a timer holds", () => {
    assert.equal(parseDuration("2147483647ms"), 2_147_483_647);
    assert.equal(parseDuration("2147483648ms"), undefined);
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
    assert.equal(refusal("soon"), 'invalid --timeout "soon": write a duration such as 500ms, 30s or 2m');
    assert.match(refusal("0s"), /^invalid --timeout "0s"/);
    assert.equal(readDuration("--timeout", "1ms"), 1);
  });

  it("is printed as long as a person needs it", () => {
    const printed = [0.0005, 0.42, 3.456, 340.4, 1250, 30_000, 59_994, 125_000].map(formatDuration);
    assert.deepEqual(printed, ["1 µs", "420 µs", "3.46 ms", "340 ms", "1.25 s", "30 s", "59.99 s", "2 min 5 s"]);
  });
});
