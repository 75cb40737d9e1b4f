import { raceDaemons } from "../../../../apps/wimguard/test/daemon/races.ts";
import { buildForProof } from "../built-program.ts";
import type { Proof } from "../proof.ts";

/** Two daemons start at once over one folder. */
export const races: Proof = {
  items: "races of two daemons",
  count: 100,
  verdict: "one served, the other was refused",
  start() {
    const built = buildForProof();
    return { check: () => raceDaemons(built.start), close: () => built.remove() };
  },
};
