import { monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks";
import type { Registry } from "./registry.ts";

/** Garbage collections by what they collect; the numbers are V8's, as Node hands them on. */
const gcKinds: Readonly<Record<number, string>> = { 1: "minor", 2: "minor", 4: "major", 8: "incremental", 16: "weak" };

/** A collection takes from tens of microseconds to, on large heaps, seconds. */
const gcBounds = [0.0001, 0.001, 0.01, 0.1, 1, 5];

/** How often the loop's delay is sampled; shorter delays cannot be distinguished from the sampling itself. */
const loopResolutionMs = 10;

const loopPercentiles: readonly (readonly [label: string, percentile: number])[] = [
  ["0.5", 50],
  ["0.9", 90],
  ["0.99", 99],
  ["1", 100],
];

/** Metrics of the process: CPU, memory, delay of the event loop, garbage collection. The returned function ends the observation. */
export function observeProcess(registry: Registry): () => void {
  const cpu = registry.counter("process_cpu_seconds_total", { help: "CPU time.", labels: ["mode"] });
  const resident = registry.gauge("process_resident_memory_bytes", { help: "Memory the process has in RAM." });
  const started = registry.gauge("process_start_time_seconds", {
    help: "When the process began, since 1970.",
    across: "min",
  });
  const heapUsed = registry.gauge("nodejs_heap_size_used_bytes", { help: "Heap in use." });
  const heapTotal = registry.gauge("nodejs_heap_size_total_bytes", { help: "Heap reserved." });
  const external = registry.gauge("nodejs_external_memory_bytes", { help: "Memory of buffers and the like." });
  const loopDelay = registry.gauge("nodejs_eventloop_delay_seconds", {
    help: "How late timers were since the last scrape.",
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
      // Node's types know the entries of browsers only.
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
    // Nanoseconds; the sampling's own period is in them.
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

/** What a server says about itself at any time: a `Server` of @tercel/grpc fits. */
export interface ServerLoad {
  readonly openConnections: number;
  readonly openCalls: number;
}

/** Gauges of a server's open connections and calls, looked up with each scrape. The returned function ends it. */
export function observeServer(registry: Registry, server: ServerLoad): () => void {
  const connections = registry.gauge("grpc_active_connections", { help: "Connections open now." });
  const calls = registry.gauge("grpc_active_calls", { help: "Calls that run now, on all connections." });
  return registry.beforeCollect(() => {
    connections.with().set(server.openConnections);
    calls.with().set(server.openCalls);
  });
}
