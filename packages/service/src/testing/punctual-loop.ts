import type { LoopDelay } from "@tercel/interceptors/load-shedding";

/** An event loop that is never late: how busy the machine is must not decide what a test sees. */
export const punctualLoop: LoopDelay = { takeMeanMs: () => 0, stop() {} };
