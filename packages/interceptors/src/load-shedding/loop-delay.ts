import { monitorEventLoopDelay } from "node:perf_hooks";

/** Measures the delay of the event loop. */
export interface LoopDelay {
  /** Returns the mean delay in milliseconds since the last call; 0 without a measurement. */
  takeMeanMs(): number;
  stop(): void;
}

const resolutionMs = 20;
const nanosecondsPerMs = 1e6;

/** The members of Node's histogram that are used. */
export type DelayHistogram = Pick<ReturnType<typeof monitorEventLoopDelay>, "mean" | "reset" | "enable" | "disable">;

/** @param create for tests */
export function measureLoopDelay(create: typeof monitorLoop = monitorLoop): LoopDelay {
  const histogram = create(resolutionMs);
  histogram.enable();
  return {
    takeMeanMs() {
      const meanMs = histogram.mean / nanosecondsPerMs;
      histogram.reset();
      // The histogram has the whole time between two timers. Its mean is NaN without samples.
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
