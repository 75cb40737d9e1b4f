import type { CaseResult, PeerFigures } from "./document.ts";

/**
 * The ratio that says who is ahead: of CPU time where a case counts work that is done as fast as it can be, because the load may be the limit of the
 * rate; of the value where that is a time or a size itself. Undefined when Tercel or the peer has none.
 */
export function decidingRatio({ better }: Pick<CaseResult, "better">, peer: PeerFigures): number | undefined {
  const ratio = better === "higher" && peer.ratioCpu !== undefined ? peer.ratioCpu : peer.ratio;
  return ratio ?? undefined;
}
