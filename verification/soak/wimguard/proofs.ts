import type { Proof } from "./proof.ts";
import { cancels } from "./proofs/cancels.ts";
import { clock } from "./proofs/clock.ts";
import { appendCrashPoints, crashPoints, faults, restoreCrashPoints } from "./proofs/crash-points.ts";
import { fillings } from "./proofs/fillings.ts";
import { flips } from "./proofs/flips.ts";
import { hostileArchives } from "./proofs/hostile-archives.ts";
import { kills } from "./proofs/kills.ts";
import { races } from "./proofs/races.ts";
import { repositoryTrees } from "./proofs/repository-trees.ts";
import { retention } from "./proofs/retention.ts";
import { swaps } from "./proofs/swaps.ts";
import { trees } from "./proofs/trees.ts";

/** Every proof of many items, by its name on the command line. */
export const proofs: Readonly<Record<string, Proof>> = {
  "trees-tar": trees("tar", 5000),
  "trees-wim": trees("wim", 2000),
  "trees-restic": repositoryTrees,
  "crash-points": crashPoints,
  "crash-points-append": appendCrashPoints,
  "crash-points-restore": restoreCrashPoints,
  faults,
  kills,
  "flips-tar": flips("tar"),
  "flips-wim": flips("wim"),
  fillings,
  "cancels-tar": cancels("tar"),
  "cancels-wim": cancels("wim"),
  "hostile-archives": hostileArchives,
  swaps,
  races,
  clock,
  retention,
};
