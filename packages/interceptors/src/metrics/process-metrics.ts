import { monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks";
import type { Registry } from "./registry.ts";

/** The kinds of garbage collections, by V8's numbers. */
const gcKinds: Readonly<Record<number, string>> = { 1: "minor", 2: "minor", 4: "major", 8: "incremental", 16: "weak" };

/** A collection takes from tens of microseconds to seconds on large heaps. */
const gcBounds = [0.0001, 0.001, 0.01, 0.1, 1, 5];

/** The sampling interval for the event loop delay. Shorter delays cannot be distinguished from the sampling itself. */
const loopResolutionMs = 10;

const loopPercentiles: readonly (readonly [label: string, percentile: number])[] = [
  ["0.5", 50],
  ["0.9", 90],
  ["0.99", 99],
  ["1", 100],
];

/** Adds metrics of the process: CPU, memory, event loop delay, garbage collection. The returned function stops the updates. */
export function observeProcess(registry: Registry): () => void {
  const cpu = registry.counter("process_cpu_seconds_total", { help: "CPU time.", labels: ["mode"] });
  const resident = registry.gauge("process_resident_memory_bytes", { help: "Resident memory of the process." });
  const started = registry.gauge("process_start_time_seconds", {
    help: "Start time of the process since 1970.",
    across: "min",
  });
  const heapUsed = registry.gauge("nodejs_heap_size_used_bytes", { help: "Heap in use." });
  const heapTotal = registry.gauge("nodejs_heap_size_total_bytes", { help: "Heap reserved." });
  const external = registry.gauge("nodejs_external_memory_bytes", {
    help: "Memory of objects outside of the heap, such as buffers.",
  });
  const loopDelay = registry.gauge("nodejs_eventloop_delay_seconds", {
    help: "Delay of the event loop since the last scrape.",
    labels: ["quantile"],
    across: "max",
  });
  const gc = registry.histogram("nodejs_gc_duration_seconds", {
    help: "Garbage collections.",
    labels: ["kind"],
    bounds: gcBounds,
  });
  started.with().set(Math.round(Date.now() / 1000 - process.uptime()));

  const delays = monitorEventLoopDelay({ resolution: loopResolutionMs });
  delays.enable();
  const collections = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      // The types have only the entries of browsers.
      const { detail } = entry as typeof entry & { readonly detail?: { readonly kind?: number } };
      gc.with(gcKinds[detail?.kind ?? 0] ?? "other").observe(entry.duration / 1000);
    }
  });
  collections.observe({ entryTypes: ["gc"] });

  const forget = registry.beforeCollect(() => {
    const { user, system } = process.cpuUsage();
    cpu.with("user").value = user / 1e6;
    cpu.with("system").value = system / 1e6;
    const memory = process.memoryUsage();
    resident.with().set(memory.rss);
    heapUsed.with().set(memory.heapUsed);
    heapTotal.with().set(memory.heapTotal);
    external.with().set(memory.external);
    // In nanoseconds, including the sampling interval.
    for (const [label, percentile] of loopPercentiles) {
      const seconds = delays.count === 0 ? 0 : delays.percentile(percentile) / 1e9 - loopResolutionMs / 1000;
      loopDelay.with(label).set(Math.max(0, seconds));
    }
    delays.reset();
  });
  return () => {
    forget();
    delays.disable();
    collections.disconnect();
  };
}

/** The counts of a server, as a `Server` of @tercel/grpc has them. */
export interface ServerLoad {
  readonly openConnections: number;
  readonly openCalls: number;
}

/** Adds gauges of a server's open connections and calls, which are read at each scrape. The returned function stops the updates. */
export function observeServer(registry: Registry, server: ServerLoad): () => void {
  const connections = registry.gauge("grpc_active_connections", { help: "Open connections." });
  const calls = registry.gauge("grpc_active_calls", { help: "Running calls on all connections." });
  return registry.beforeCollect(() => {
    connections.with().set(server.openConnections);
    calls.with().set(server.openCalls);
  });
}
