import type { Registry } from "./registry.ts";

/** A limit that a peer has struck, as the `onLimit` option of servers and channels tells it: the names are a closed list. */
export interface StruckLimit {
  readonly limit: string;
}

/** Counts strikes as `grpc_limits_struck_total{limit="…"}`: hand it over as the `onLimit` option of servers and channels. */
export function countLimits(registry: Registry): (strike: StruckLimit) => void {
  const struck = registry.counter("grpc_limits_struck_total", {
    help: "Limits that peers have struck.",
    labels: ["limit"],
    maxSeries: 200,
  });
  return ({ limit }) => struck.with(limit).add();
}
