import type { Clock } from "@tercel/grpc";
import type { Histogram, Registry } from "@tercel/interceptors/metrics";

type Outcome = "ok" | "error";

/** The metrics of one database. */
export interface DatabaseMetrics {
  /** Runs an operation and records its duration. */
  time<T>(operation: string, run: () => Promise<T>): Promise<T>;
  close(): void;
}

/** Number of connections by state, evaluated when metrics are read. */
export interface PoolState {
  readonly used: number;
  readonly idle: number;
  /** Callers waiting for a connection. */
  readonly waiting: number;
}

const noMetrics: DatabaseMetrics = { time: (_operation, run) => run(), close() {} };

export function createDatabaseMetrics(
  registry: Registry | undefined,
  name: string,
  clock: Clock,
  pool: () => PoolState,
): DatabaseMetrics {
  if (registry === undefined) return noMetrics;
  // The host's registry returns the family that another database registered.
  const seconds = registry.histogram("tercel_database_operation_seconds", {
    help: "Duration of statements and transactions",
    labels: ["database", "operation", "outcome"],
  });
  const connections = registry.gauge("tercel_database_connections", {
    help: "Connections by state; waiting is the number of callers that wait for one",
    labels: ["database", "state"],
  });
  const stop = registry.beforeCollect(() => {
    const { used, idle, waiting } = pool();
    connections.with(name, "used").set(used);
    connections.with(name, "idle").set(idle);
    connections.with(name, "waiting").set(waiting);
  });
  const series = new Map<string, Histogram>();
  const note = (operation: string, outcome: Outcome, startMs: number): void => {
    const key = `${operation} ${outcome}`;
    let found = series.get(key);
    if (found === undefined) {
      found = seconds.with(name, operation, outcome);
      series.set(key, found);
    }
    found.observe((clock.nowMs() - startMs) / 1000);
  };
  return {
    async time(operation, run) {
      const startMs = clock.nowMs();
      let outcome: Outcome = "error";
      try {
        const result = await run();
        outcome = "ok";
        return result;
      } finally {
        note(operation, outcome, startMs);
      }
    },
    close: stop,
  };
}
