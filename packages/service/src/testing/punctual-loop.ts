import type { LoopDelay } from "@tercel/interceptors/load-shedding";

/** An event loop without delay, so that the load of the machine does not affect tests. */
export const punctualLoop: LoopDelay = { takeMeanMs: () => 0, stop() {} };
