import type { Clock, Server, ServerOptions } from "@tercel/grpc";
import type { Shared } from "@tercel/grpc/internal";
import type { LeveledLog } from "@tercel/interceptors/logging";
import type { MetricsPart, Registry } from "@tercel/interceptors/metrics";
import type { ServiceClients } from "../client.ts";

/** What is around a service: the real thing, or a test's. */
export interface Surroundings {
  /** For the lines of calls, too. */
  readonly log: LeveledLog;
  readonly clock: Clock;
  readonly metrics: Registry;
  /** What `/metrics` shows: the metrics of this process, or of all workers. */
  readonly shownMetrics: Registry | Shared<MetricsPart>;
  readonly createServer: (options: ServerOptions) => Server;
  /** Clients of other services from elsewhere than discovery. */
  readonly clients?: ServiceClients;
}
