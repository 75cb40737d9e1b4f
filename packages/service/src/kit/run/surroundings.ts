import type { Clock, Server, ServerOptions } from "@tercel/grpc";
import type { Shared } from "@tercel/grpc/internal";
import type { LoopDelay } from "@tercel/interceptors/load-shedding";
import type { LeveledLog } from "@tercel/interceptors/logging";
import type { MetricsPart, Registry } from "@tercel/interceptors/metrics";
import type { ServiceClients } from "../../client.ts";
import type { WatchConfigOptions } from "../../config/index.ts";
import type { Neighbours } from "../dependencies/neighbours.ts";
import type { LogConfig } from "../run-config/run-config.ts";

/** The environment of a service, in production or in a test. */
export interface Surroundings {
  /** Log, also of calls. */
  readonly log: LeveledLog;
  readonly clock: Clock;
  readonly metrics: Registry;
  /** The metrics of `/metrics`: of this process, or of all workers. */
  readonly shownMetrics: Registry | Shared<MetricsPart>;
  readonly createServer: (options: ServerOptions) => Server;
  /** Clients of other services that do not use discovery. */
  readonly clients?: ServiceClients;
  /** Services in the same process that are called in memory. */
  readonly neighbours?: Neighbours;
  /** Event loop delay, for load shedding. Default: that of this process. */
  readonly loopDelay?: LoopDelay;
  /** Sets the log level after a reload. Default: the level does not change. */
  readonly setLogLevel?: (level: LogConfig["level"]) => void;
  /** For tests: how files are followed. */
  readonly watch?: Pick<WatchConfigOptions, "settleMs" | "pollMs" | "watchFolder">;
}
