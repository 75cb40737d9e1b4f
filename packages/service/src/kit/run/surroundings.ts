import type { Clock, Server, ServerOptions } from "@tercel/grpc";
import type { Shared } from "@tercel/grpc/internal";
import type { LoopDelay } from "@tercel/interceptors/load-shedding";
import type { LeveledLog } from "@tercel/interceptors/logging";
import type { MetricsPart, Registry } from "@tercel/interceptors/metrics";
import type { ServiceClients } from "../../client.ts";
import type { WatchConfigOptions } from "../../config/index.ts";
import type { Neighbours } from "../dependencies/neighbours.ts";
import type { LogConfig } from "../run-config/run-config.ts";

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
  /** Services in the same process, which are called in memory. */
  readonly neighbours?: Neighbours;
  /** How late the event loop is, for load shedding. Default: that of this process. */
  readonly loopDelay?: LoopDelay;
  /** For a configuration that was reloaded. Default: the level stays. */
  readonly setLogLevel?: (level: LogConfig["level"]) => void;
  /** For tests: how files are followed. */
  readonly watch?: Pick<WatchConfigOptions, "settleMs" | "pollMs" | "watchFolder">;
}
