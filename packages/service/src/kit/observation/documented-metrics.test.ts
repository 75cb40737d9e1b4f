import assert from "node:assert/strict";
import { test } from "node:test";
import { createRegistry, exposition } from "@tercel/interceptors/metrics";
import { addServiceMetrics } from "./documented-metrics.ts";
import { createSharedFamilies } from "./shared-families.ts";

test("calls are shown by service and method alone, whatever their status, and only once", () => {
  const registry = createRegistry();
  const metrics = createSharedFamilies(registry);
  const end = addServiceMetrics(metrics);
  const byMethod = ["service", "method"];
  const started = metrics.counter("grpc_server_requests_started_total", { help: "", labels: byMethod });
  const durations = metrics.histogram("grpc_server_request_duration_seconds", {
    help: "",
    labels: [...byMethod, "status"],
  });
  started.with("shop.Orders", "Place").add(3);
  durations.with("shop.Orders", "Place", "OK").observe(0.001953125);
  durations.with("shop.Orders", "Place", "OK").observe(0.25);
  durations.with("shop.Orders", "Place", "NOT_FOUND").observe(0.001953125);
  for (let scrape = 0; scrape < 2; scrape++) {
    const text = exposition(registry);
    assert.match(text, /^grpc_service_requests_total\{service="shop\.Orders",method="Place"\} 3$/m);
    assert.match(text, /^grpc_service_latency_seconds_count\{service="shop\.Orders",method="Place"\} 3$/m);
    assert.match(
      text,
      /^grpc_service_latency_seconds_bucket\{service="shop\.Orders",method="Place",le="0\.0025"\} 2$/m,
    );
    assert.match(text, /^grpc_service_latency_seconds_sum\{service="shop\.Orders",method="Place"\} 0\.25390625$/m);
  }
  end();
  started.with("shop.Orders", "Place").add();
  assert.match(exposition(registry), /^grpc_service_requests_total\{.*\} 3$/m);
});
