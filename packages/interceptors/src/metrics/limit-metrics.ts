import type { Registry } from "./registry.ts";

/** A limit that a peer has exceeded, as the `onLimit` option of servers and channels reports it. There is a fixed list of limit names. */
export interface ExceededLimit {
  readonly limit: string;
}

/** Counts exceeded limits as `grpc_limits_exceeded_total{limit="…"}`. Pass the result as the `onLimit` option of servers and channels. */
export function countLimits(registry: Registry): (exceeded: ExceededLimit) => void {
  const exceeded = registry.counter("grpc_limits_exceeded_total", {
    help: "Limits that peers have exceeded.",
    labels: ["limit"],
    maxSeries: 200,
  });
  return ({ limit }) => exceeded.with(limit).add();
}
