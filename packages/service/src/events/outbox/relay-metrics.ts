import type { Registry } from "@tercel/interceptors/metrics";

/** Creates the metrics of the relay of a database; undefined without a registry. */
export function createRelayMetrics(metrics: Registry | undefined, name: string) {
  if (metrics === undefined) return undefined;
  const labels = ["database"];
  const pending = metrics.gauge("tercel_outbox_pending", {
    help: "Events waiting to be sent",
    labels,
    across: "max",
  });
  const oldest = metrics.gauge("tercel_outbox_oldest_seconds", {
    help: "Age of the oldest event waiting to be sent",
    labels,
    across: "max",
  });
  const parked = metrics.gauge("tercel_outbox_parked", {
    help: "Events that the broker rejected permanently",
    labels,
    across: "max",
  });
  const parkedTotal = metrics.counter("tercel_outbox_parked_total", { help: "Parked events", labels });
  return {
    pending: pending.with(name),
    oldest: oldest.with(name),
    parked: parked.with(name),
    parkedTotal: parkedTotal.with(name),
  };
}
