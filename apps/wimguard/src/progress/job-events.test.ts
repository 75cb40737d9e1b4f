import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WarningList } from "../catalog/warning-list.ts";
import { toProgress } from "../daemon/handlers/run-message.ts";
import { createJobEvents } from "./job-events.ts";
import { ProgressCounter } from "./progress-counter.ts";
import type { JobProgress } from "./progress-feed.ts";

describe("the progress of a job", () => {
  it("has the number of files once the source was walked", () => {
    const seen: JobProgress[] = [];
    const events = createJobEvents(new ProgressCounter(), new WarningList(), (progress) => seen.push(progress));
    events.onPhase("scanning");
    events.onTotal(100, 3);
    events.onPhase("reading");
    events.onBytes(40);
    assert.deepEqual(
      seen.map(({ phase, bytesDone, bytesTotal, filesTotal }) => [phase, bytesDone, bytesTotal, filesTotal]),
      [
        ["scanning", 0, 0, undefined],
        ["scanning", 0, 100, 3],
        ["reading", 0, 100, 3],
        ["reading", 40, 100, 3],
      ],
    );
  });

  it("says how long it still takes where the rate is known", () => {
    const progress = { phase: "reading", bytesDone: 40, bytesTotal: 100 } as const;
    const { bytesPerSecond, eta } = toProgress({ ...progress, bytesPerSecond: 30 });
    assert.deepEqual([bytesPerSecond, eta?.seconds, eta?.nanos], [30, 2n, 0]);
    assert.equal(toProgress(progress).eta, undefined);
  });
});
