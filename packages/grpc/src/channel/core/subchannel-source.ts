import type { Log } from "../../logging/log.ts";
import type { Clock } from "../../time/clock.ts";
import type { Address, Connect } from "../../transport/client/client-connection.ts";
import type { BalancerHost } from "../balancer/index.ts";
import { formatAddress } from "../naming/address-text.ts";
import type { Backoff } from "../retry/backoff.ts";
import type { ServiceConfig } from "../service-config/service-config.ts";
import { type HealthListener, watchHealth } from "../subchannel/health-watch.ts";
import type { Subchannel, SubchannelStateListener } from "../subchannel/index.ts";
import { watchLoad } from "../subchannel/load-watch.ts";
import type { WatchSettings } from "../subchannel/retrying-watch.ts";
import { createSubchannel } from "../subchannel/subchannel.ts";
import type { StartWatch } from "../subchannel/watch-stream.ts";

/** The upper limit for a service config (gRFC A105). */
const maxConnectionsPerSubchannel = 10;

export interface SubchannelSourceOptions {
  readonly connect: Connect;
  readonly clock: Clock;
  readonly backoff: Backoff;
  readonly connectTimeoutMs: number | undefined;
  /** Starts the calls that watch servers' health and load. Without it they are not watched. */
  readonly startWatch: StartWatch | undefined;
  /** Returns the one in force; called each time it is needed. */
  readonly serviceConfig: () => ServiceConfig | undefined;
  readonly log: Log;
  /** A connection may take another call. */
  readonly onCapacity: () => void;
}

/** Creates the subchannels of a channel, and the watches of their servers' health and load. */
export class SubchannelSource {
  readonly #options: SubchannelSourceOptions;
  #hasLoggedUnimplemented = false;
  readonly watchHealth: BalancerHost["watchHealth"];
  readonly watchLoad: BalancerHost["watchLoad"];

  constructor(options: SubchannelSourceOptions) {
    this.#options = options;
    const { startWatch, clock, backoff } = options;
    const onHealthUnimplemented = (subchannel: Subchannel): void => this.#logUnimplemented(subchannel);
    const settings = startWatch && { startWatch, clock, backoff, onHealthUnimplemented };
    this.watchHealth = settings && ((subchannel, listener) => this.#watchHealth(settings, subchannel, listener));
    this.watchLoad =
      settings && ((subchannel, intervalMs, listener) => watchLoad(settings, subchannel, intervalMs, listener));
  }

  create(address: Address, onState: SubchannelStateListener): Subchannel {
    const { connect, clock, backoff, connectTimeoutMs, serviceConfig, onCapacity } = this.#options;
    const maxConnections = (): number =>
      Math.min(maxConnectionsPerSubchannel, serviceConfig()?.maxConnectionsPerSubchannel ?? Infinity);
    return createSubchannel(
      address,
      {
        connect,
        clock,
        backoff,
        onCapacity,
        maxConnections,
        ...(connectTimeoutMs !== undefined && { connectTimeoutMs }),
      },
      onState,
    );
  }

  /** Once for all servers: mostly they are the same program (gRFC A17). */
  #logUnimplemented({ address }: Subchannel): void {
    if (this.#hasLoggedUnimplemented) return;
    this.#hasLoggedUnimplemented = true;
    const message = "healthCheckConfig is set, but the server has no grpc.health.v1.Health/Watch: it counts as healthy";
    this.#options.log.warn(message, { server: formatAddress(address) });
  }

  #watchHealth(settings: WatchSettings, subchannel: Subchannel, listener: HealthListener): () => void {
    const serviceName = this.#options.serviceConfig()?.healthCheckServiceName;
    if (serviceName !== undefined) return watchHealth(settings, serviceName, subchannel, listener);
    listener({ state: "ready", reason: "" });
    return () => {};
  }
}
