import { Code, ConnectError } from "@connectrpc/connect";
import type { Clock } from "../call/clock.ts";
import type { Address } from "../transport/client-connection.ts";
import type { Backoff } from "./backoff.ts";
import type { Balancer, BalancerFactory, Picker } from "./balancer/index.ts";
import type { ConnectivityState } from "./connectivity.ts";
import type { Resolver, ResolverFactory, ResolverListener } from "./resolver/index.ts";
import type { Subchannel, SubchannelStateListener } from "./subchannel/index.ts";
import type { ParsedTarget } from "./target.ts";

/** What a channel gives to the resolver and balancer that work for it. */
export interface ActiveTargetOptions {
  readonly target: ParsedTarget;
  readonly clock: Clock;
  readonly backoff: Backoff;
  readonly resolver: ResolverFactory;
  readonly balancer: BalancerFactory;
  createSubchannel(address: Address, onState: SubchannelStateListener): Subchannel;
  onState(state: ConnectivityState, picker: Picker): void;
}

/**
 * The time between two idle modes: one resolver feeds one balancer. Whatever either of them still reports after `close`
 * goes nowhere.
 */
export class ActiveTarget {
  readonly #options: ActiveTargetOptions;
  readonly #balancer: Balancer;
  #resolver: Resolver | undefined;
  #isClosed = false;

  constructor(options: ActiveTargetOptions) {
    this.#options = options;
    this.#balancer = options.balancer.create({
      targetText: options.target.text,
      clock: options.clock,
      createSubchannel: (address, onState) => options.createSubchannel(address, onState),
      updateState: (state, picker) => {
        if (!this.#isClosed) options.onState(state, picker);
      },
      requestResolution: () => {
        if (!this.#isClosed) this.#resolver?.resolveNow();
      },
    });
  }

  /** Begins to resolve. Apart from the constructor, because results may come at once and the channel has to know us by then. */
  start(): void {
    const { target, clock, backoff, resolver } = this.#options;
    const listener: ResolverListener = {
      onResult: ({ endpoints }) => this.#isClosed || this.#balancer.update({ endpoints }),
      onError: (error) => {
        if (!this.#isClosed) this.#balancer.onResolverError(error);
      },
    };
    try {
      this.#resolver = resolver.create(target, listener, { clock, backoff });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const message = `cannot resolve "${target.text}": ${reason}`;
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
}
