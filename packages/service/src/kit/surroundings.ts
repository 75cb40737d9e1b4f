import type { Clock, Log, Server, ServerOptions } from "@tercel/grpc";
import type { Shared } from "@tercel/grpc/internal";
import type { Logger } from "@tercel/interceptors/logging";
import type { MetricsPart, Registry } from "@tercel/interceptors/metrics";
import type { ServiceClients } from "../client.ts";

/** What is around a service: the real thing, or a test's. */
export interface Surroundings {
  readonly log: Log;
  /** The same for the lines of calls. */
  readonly logger: Logger;
  readonly clock: Clock;
  readonly metrics: Registry;
  /** What `/metrics` shows: the metrics of this process, or of all workers. */
  readonly shownMetrics: Registry | Shared<MetricsPart>;
  readonly createServer: (options: ServerOptions) => Server;
  /** Clients of other services from elsewhere than discovery. */
  readonly clients?: ServiceClients;
}
