import { monitorEventLoopDelay } from "node:perf_hooks";

/** How long work has waited for the event loop. */
export interface LoopDelay {
  /** The mean of the milliseconds since this was last asked; 0 when nothing was measured. */
  takeMeanMs(): number;
  stop(): void;
}

const resolutionMs = 20;
const nanosecondsPerMs = 1e6;

/** What is asked of a histogram of Node's. */
export type DelayHistogram = Pick<ReturnType<typeof monitorEventLoopDelay>, "mean" | "reset" | "enable" | "disable">;

/** @param create for tests */
export function measureLoopDelay(create: typeof monitorLoop = monitorLoop): LoopDelay {
  const histogram = create(resolutionMs);
  histogram.enable();
  return {
    takeMeanMs() {
      const meanMs = histogram.mean / nanosecondsPerMs;
      histogram.reset();
      // The histogram counts the whole time between two of its timers; without samples the mean is NaN.
      return Number.isNaN(meanMs) ? 0 : Math.max(0, meanMs - resolutionMs);
    },
    stop() {
      histogram.disable();
    },
  };
}

function monitorLoop(resolution: number): DelayHistogram {
  return monitorEventLoopDelay({ resolution });
}
