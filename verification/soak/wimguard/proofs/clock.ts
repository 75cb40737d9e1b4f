import { checkClock, clockCases } from "../../../../apps/wimguard/test/schedule/clock.ts";
import type { Proof } from "../proof.ts";

const years = 10;

/** The scheduler over ten years with a clock that jumps, restarts and time off, compared with a naive model, in twelve zones. */
export const clock: Proof = {
  items: "schedules of ten years",
  count: Number.POSITIVE_INFINITY,
  verdict: "each ran when a naive model says, once",
  start() {
    return {
      limit: clockCases.length,
      check: async (seed, index) => ({
        "runs of schedules": await checkClock(clockCases[index] as (typeof clockCases)[number], { years, seed }),
      }),
    };
  },
};
