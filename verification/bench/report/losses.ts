import { decidingRatio } from "./deciding-ratio.ts";
import type { BenchDocument } from "./document.ts";

/** A peer that is ahead of Tercel in a case. */
export interface Loss {
  readonly name: string;
  readonly peer: string;
  readonly ratio: number;
}

/** Where peers are ahead, the farthest first. `limits` are subjects that no framework can be ahead of. */
export function findLosses({ cases }: Pick<BenchDocument, "cases">, limits: readonly string[]): Loss[] {
  const losses = cases.flatMap((result) =>
    Object.entries(result.peers).flatMap(([peer, figures]) => {
      const ratio = decidingRatio(result, figures);
      return ratio === undefined || ratio >= 1 || limits.includes(peer) ? [] : [{ name: result.name, peer, ratio }];
    }),
  );
  return losses.sort((a, b) => a.ratio - b.ratio);
}
