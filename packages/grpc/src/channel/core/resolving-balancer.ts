import { Code, ConnectError } from "@connectrpc/connect";
import type { Log } from "../../logging/log.ts";
import { thrownMessage } from "../../logging/thrown-text.ts";
import type { Clock } from "../../time/clock.ts";
import type { Address } from "../../transport/client/client-connection.ts";
import { GracefulSwitch } from "../balancer/graceful-switch.ts";
import type { BalancerFactory, BalancerHost, Picker } from "../balancer/index.ts";
import { createFailPicker } from "../balancer/pickers.ts";
import type { ParsedTarget } from "../naming/target.ts";
import type { Endpoint, Resolver, ResolverFactory, ResolverListener, ResolverResult } from "../resolver/index.ts";
import type { Backoff } from "../retry/backoff.ts";
import type { ServiceConfig } from "../service-config/service-config.ts";
import type { ServiceConfigChoice } from "../service-config/service-config-choice.ts";
import type { ConnectivityState } from "../subchannel/connectivity.ts";
import type { Subchannel, SubchannelStateListener } from "../subchannel/index.ts";

/** What a channel gives to the resolver and balancer that work for it. */
export interface ActiveTargetOptions {
  readonly target: ParsedTarget;
  readonly clock: Clock;
  readonly backoff: Backoff;
  readonly resolver: ResolverFactory;
  /** The policy where the service config names none. */
  readonly balancer: BalancerFactory;
  /** Outlives this object: what was valid once stays in force (gRFC A21). */
  readonly serviceConfigs: ServiceConfigChoice;
  readonly log: Log;
  readonly watchHealth?: BalancerHost["watchHealth"];
  readonly watchLoad?: BalancerHost["watchLoad"];
  readonly createSubchannel: (address: Address, onState: SubchannelStateListener) => Subchannel;
  readonly onState: (state: ConnectivityState, picker: Picker) => void;
  /** The config that applies from now on; called before the balancer gets the endpoints that came with it. */
  readonly onServiceConfig: (config: ServiceConfig) => void;
  readonly onEndpoints: (endpoints: readonly Endpoint[]) => void;
  readonly onResolverError: (error: ConnectError) => void;
}

/**
 * The time between two idle modes: one resolver feeds one balancer. Whatever either of them still reports after `close`
 * goes nowhere.
 */
export class ResolvingBalancer {
  readonly #options: ActiveTargetOptions;
  readonly #balancer: GracefulSwitch;
  #resolver: Resolver | undefined;
  #loggedRefusal: string | undefined;
  #isClosed = false;

  constructor(options: ActiveTargetOptions) {
    this.#options = options;
    this.#balancer = new GracefulSwitch({
      targetText: options.target.text,
      clock: options.clock,
      createSubchannel: (address, onState) => options.createSubchannel(address, onState),
      updateState: (state, picker) => {
        if (!this.#isClosed) options.onState(state, picker);
      },
      requestResolution: () => {
        if (!this.#isClosed) this.#resolver?.resolveNow();
      },
      watchHealth: options.watchHealth,
      watchLoad: options.watchLoad,
    });
  }

  get policyName(): string | undefined {
    return this.#balancer.policyName;
  }

  /** Begins to resolve. Not in the constructor, because results may come at once, when the channel must already have this object. */
  start(): void {
    const { target, clock, backoff, resolver } = this.#options;
    const listener: ResolverListener = {
      onResult: (result) => this.#isClosed || this.#onResult(result),
      onError: (error) => {
        if (!this.#isClosed) this.#onError(error);
      },
    };
    try {
      this.#resolver = resolver.create(target, listener, { clock, backoff });
    } catch (error) {
      const message = `cannot resolve "${target.text}": ${thrownMessage(error)}`;
      listener.onError(new ConnectError(message, Code.Unavailable, undefined, undefined, error));
    }
    // What the resolver reported at once may have closed the channel, which could not close the resolver yet.
    if (this.#isClosed) this.#resolver?.close();
  }

  exitIdle(): void {
    this.#balancer.exitIdle();
  }

  close(): void {
    this.#isClosed = true;
    this.#resolver?.close();
    this.#balancer.close();
  }

  #onResult({ endpoints, serviceConfigJson, serviceConfigError }: ResolverResult): boolean {
    const { target, serviceConfigs, onEndpoints, onState, onResolverError } = this.#options;
    onEndpoints(endpoints);
    const refusal = serviceConfigError ?? serviceConfigs.choose(serviceConfigJson);
    if (refusal !== undefined) {
      const message = `the service config of "${target.text}" is invalid: ${refusal.message}`;
      const createError = () => new ConnectError(message, Code.Unavailable, undefined, undefined, refusal);
      onResolverError(createError());
      const inForce = serviceConfigs.fallBack();
      this.#logRefusal(refusal.message, inForce ?? "none: calls fail");
      if (inForce === undefined) {
        // Nothing was ever valid, so the resolution counts as failed (gRFC A21).
        onState("transient_failure", createFailPicker(createError));
        return false;
      }
    } else {
      this.#loggedRefusal = undefined;
    }
    return this.#apply(endpoints);
  }

  /** Once for each reason in a row: resolvers that poll bring the same config again and again. */
  #logRefusal(reason: string, inForce: string): void {
    if (reason === this.#loggedRefusal) return;
    this.#loggedRefusal = reason;
    const { log, target } = this.#options;
    log.warn("rejected the service config of a target", { target: target.text, reason, inForce });
  }

  #apply(endpoints: readonly Endpoint[]): boolean {
    const { serviceConfigs, balancer } = this.#options;
    const config = serviceConfigs.current as ServiceConfig;
    this.#options.onServiceConfig(config);
    // Calls may have ended with the config, and the channel with them.
    if (this.#isClosed) return true;
    return this.#balancer.update(config.balancer ?? { factory: balancer }, { endpoints });
  }

  #onError(error: ConnectError): void {
    const { serviceConfigs } = this.#options;
    this.#options.onResolverError(error);
    // Calls that fail for want of a name have the config that holds without one.
    const config = serviceConfigs.current ?? serviceConfigs.byDefault;
    this.#options.onServiceConfig(config);
    if (!this.#isClosed) this.#balancer.onResolverError(error);
  }
}
