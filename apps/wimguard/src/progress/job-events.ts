import type { WarningList } from "../catalog/warning-list.ts";
import type { EngineEvents } from "../engine/engine.ts";
import { ByteRate } from "./byte-rate.ts";
import type { ProgressCounter } from "./progress-counter.ts";
import type { JobProgress } from "./progress-feed.ts";

/** Creates the events of an engine that count its progress and collect its warnings. */
export function createJobEvents(
  counter: ProgressCounter,
  warnings: WarningList,
  onProgress: (progress: JobProgress) => void,
): EngineEvents {
  let phase: JobProgress["phase"] = "scanning";
  let filesTotal: number | undefined;
  const rate = new ByteRate();
  const report = (): void => {
    const { count } = counter;
    const bytesPerSecond = phase === "reading" ? rate.add(count.bytesDone, performance.now()) : undefined;
    onProgress({ ...count, phase, filesTotal, bytesPerSecond });
  };
  return {
    onPhase(next) {
      phase = next;
      report();
    },
    onTotal(bytes, files) {
      filesTotal = files;
      counter.setTotal(bytes);
      report();
    },
    onBytes(bytes) {
      counter.add(bytes);
      report();
    },
    onReached(bytes) {
      counter.reach(bytes);
      report();
    },
    onWarning: (warning) => void warnings.add(warning),
  };
}
