import type { Registry } from "./registry.ts";

/** A limit that a peer has exceeded, as the `onLimit` option of servers and channels reports it: the names are a closed list. */
export interface ExceededLimit {
  readonly limit: string;
}

/** Counts limits that peers exceed as `grpc_limits_exceeded_total{limit="…"}`: pass it as the `onLimit` option of servers and channels. */
export function countLimits(registry: Registry): (exceeded: ExceededLimit) => void {
  const exceeded = registry.counter("grpc_limits_exceeded_total", {
    help: "Limits that peers have exceeded.",
    labels: ["limit"],
    maxSeries: 200,
  });
  return ({ limit }) => exceeded.with(limit).add();
}
