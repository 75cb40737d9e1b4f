import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatBytes, formatSeconds, formatTable } from "./format.ts";
import { renderBar, renderProgress } from "./progress-line.ts";
import { createProgressMeter } from "./progress-meter.ts";

describe("formatBytes", () => {
  for (const [bytes, text] of [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [9949, "9.9 kB"],
    [9950, "10 kB"],
    [999_499, "999 kB"],
    [999_500, "1.0 MB"],
    [437_000_000, "437 MB"],
    [1_042_000_000, "1.0 GB"],
    [5e18, "5000 PB"],
  ] as const) {
    it(`shows ${bytes} as ${text}`, () => assert.equal(formatBytes(bytes), text));
  }
});

describe("formatSeconds", () => {
  for (const [seconds, text] of [
    [0.2, "0s"],
    [59.4, "59s"],
    [59.6, "1m00s"],
    [200, "3m20s"],
    [7500, "2h05m"],
  ] as const) {
    it(`shows ${seconds} as ${text}`, () => assert.equal(formatSeconds(seconds), text));
  }
});

describe("formatTable", () => {
  it("aligns columns and leaves no space at the end of a line", () => {
    assert.equal(
      formatTable([
        ["A", "B"],
        ["long", ""],
      ]),
      "A     B\nlong",
    );
  });
});

const reading = { bytesDone: 437_000_000, bytesTotal: 1_042_000_000, phase: "reading", bytesPerSecond: 88_000_000 };

describe("the progress bar", () => {
  it("shows percent, bytes, rate and the time left", () => {
    assert.equal(renderProgress(reading), "41% 437 MB/1.0 GB 88 MB/s eta 7s");
    assert.equal(renderBar(reading, 80), `[${"#".repeat(12)}${"-".repeat(18)}] 41% 437 MB/1.0 GB 88 MB/s eta 7s`);
  });

  it("shows the phase while there is nothing to count, and after everything was read", () => {
    assert.equal(
      renderBar({ bytesDone: 0, bytesTotal: 0, phase: "scanning", bytesPerSecond: undefined }, 80),
      "scanning",
    );
    assert.equal(
      renderProgress({ ...reading, bytesDone: reading.bytesTotal, phase: "verifying" }),
      "100% 1.0 GB/1.0 GB verifying",
    );
  });

  it("says 99% until the last byte", () => {
    assert.match(renderProgress({ ...reading, bytesDone: reading.bytesTotal - 1 }), /^99% /);
  });

  it("fits any terminal", () => {
    for (let columns = 0; columns < 120; columns++)
      assert.ok(renderBar(reading, columns).length < Math.max(columns, 1));
  });

  it("is a line every ten seconds without a terminal", () => {
    let nowMs = 0;
    let text = "";
    const meter = createProgressMeter({
      write: (more) => (text += more),
      isTerminal: false,
      columns: () => 80,
      nowMs: () => nowMs,
    });
    for (nowMs = 0; nowMs <= 20_000; nowMs += 1000)
      meter.update({ bytesDone: nowMs * 1000, bytesTotal: 40_000_000, phase: "reading" });
    meter.end();
    assert.equal(text, "25% 10 MB/40 MB 1.0 MB/s eta 30s\n50% 20 MB/40 MB 1.0 MB/s eta 20s\n");
  });

  it("shows a falling rate while nothing is heard", () => {
    let [nowMs, text] = [0, ""];
    let redraw = () => {};
    const every = (callback: () => void) => {
      redraw = callback;
      return () => {};
    };
    const meter = createProgressMeter({
      write: (more) => (text = more),
      isTerminal: true,
      columns: () => 30,
      nowMs: () => nowMs,
      every,
    });
    meter.update({ bytesDone: 0, bytesTotal: 8_000_000, phase: "reading" });
    nowMs = 1000;
    meter.update({ bytesDone: 4_000_000, bytesTotal: 8_000_000, phase: "reading" });
    assert.match(text, /4\.0 MB\/s/);
    nowMs = 4000;
    redraw();
    assert.match(text, /1\.0 MB\/s/);
    meter.end();
  });

  it("is written over itself on a terminal, and cleared at the end", () => {
    let text = "";
    const meter = createProgressMeter({
      write: (more) => (text += more),
      isTerminal: true,
      columns: () => 40,
      nowMs: () => 0,
    });
    meter.update({ bytesDone: 0, bytesTotal: 0, phase: "scanning" });
    meter.end();
    assert.equal(text, "\rscanning\x1b[K\r\x1b[K");
  });
});
