import type { ListenAddress } from "@tercel/grpc";
import type { Health } from "@tercel/grpc/services";
import type { ConfigSources } from "../../config/index.ts";
import type { LifecycleOutcome } from "../../lifecycle/lifecycle-contract.ts";

/** A running service. */
export interface RunningService {
  /** Address it listens on; with port 0, the actual port. */
  readonly address: ListenAddress;
  /** Address of REST, Connect and gRPC-Web; undefined if they are not served. */
  readonly httpAddress?: ListenAddress;
  readonly health: Health;
  /**
   * Stops the service: NOT_SERVING, deregister, drain, close. Resolves when everything is closed, with the problems that occurred. Further calls wait for
   * the same stop.
   */
  stop(): Promise<LifecycleOutcome>;
}

/** The source of a service's configuration. */
export interface StartOptions extends Omit<ConfigSources, "values"> {
  /** Configuration keys, as in `config.yaml`; they override files and variables. Default: none. */
  readonly config?: object;
}
