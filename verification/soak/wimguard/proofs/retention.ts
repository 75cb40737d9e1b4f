import { checkHistories } from "../../../../apps/wimguard/test/retention/histories.ts";
import type { Proof } from "../proof.ts";

const historiesOfItem = 1000;

/** Retention decides as a naive search does. */
export const retention: Proof = {
  items: `sets of ${historiesOfItem} histories`,
  count: 100,
  verdict: "each snapshot was kept or dropped as a naive search says",
  start: () => ({ check: (seed) => checkHistories(historiesOfItem, seed) }),
};
