import type { Counter, Family, Histogram, Registry } from "@tercel/interceptors/metrics";

const byMethod = ["service", "method"];

/**
 * Exports the calls of a server under two further names, `grpc_service_requests_total` and `grpc_service_latency_seconds`, by service and method only.
 * They are derived from the server's metrics when these are read, so that a call costs nothing more. Returns a function that removes them.
 *
 * @param metrics registry that returns existing families
 */
export function addServiceMetrics(metrics: Registry): () => void {
  const started = metrics.counter("grpc_server_requests_started_total", { help: "Calls started.", labels: byMethod });
  const durations = metrics.histogram("grpc_server_request_duration_seconds", {
    help: "Time from a call's headers to its end, including streams.",
    labels: [...byMethod, "status"],
  });
  const requests = metrics.counter("grpc_service_requests_total", {
    help: "Calls started, by service and method.",
    labels: byMethod,
  });
  const latency = metrics.histogram("grpc_service_latency_seconds", {
    help: "Time from a call's headers to its end, by service and method.",
    labels: byMethod,
  });
  return metrics.beforeCollect(() => {
    copyCounts(started, requests);
    sumOverStatuses(durations, latency);
  });
}

function copyCounts(from: Family<Counter>, to: Family<Counter>): void {
  for (const { values, series } of from.series.values()) to.with(...values).value = series.value;
}

function sumOverStatuses(from: Family<Histogram>, to: Family<Histogram>): void {
  const known = new Set<Histogram>();
  for (const { values, series } of from.series.values()) {
    const [service = "", method = ""] = values;
    const sum = to.with(service, method);
    if (!known.has(sum)) {
      known.add(sum);
      sum.sum = 0;
      sum.counts.fill(0);
    }
    sum.sum += series.sum;
    for (const [bucket, count] of series.counts.entries()) sum.counts[bucket] = (sum.counts[bucket] ?? 0) + count;
  }
}
