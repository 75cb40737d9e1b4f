import type { ConnectError } from "@connectrpc/connect";
import type { ConnectivityState } from "../subchannel/connectivity.ts";
import { deriveHost } from "./derive-host.ts";
import type { Balancer, BalancerFactory, BalancerHost, BalancerUpdate, Picker } from "./index.ts";
import { createQueuePicker, createResolverErrorPicker } from "./pickers.ts";
import type { PolicyChoice } from "./policy-choice.ts";

/**
 * Holds the current policy, and replaces it with another without a gap: the new one connects while the old one goes
 * on, and takes over once it can say more than that it connects, or once the old one has nothing to offer.
 */
export class GracefulSwitch {
  readonly #host: BalancerHost;
  #current: Held | undefined;
  /** The one that is to take over. */
  #next: Held | undefined;

  constructor(host: BalancerHost) {
    this.#host = host;
  }

  /** The policy that gets updates: the one at work, or the one that is to take over. */
  get policyName(): string | undefined {
    return (this.#next ?? this.#current)?.factory.policyName;
  }

  /** `update.config` is the choice's. Returns what the policy says to the update. */
  update({ factory, config }: PolicyChoice, { endpoints }: Pick<BalancerUpdate, "endpoints">): boolean {
    const latest = this.#next ?? this.#current;
    const held = latest?.factory.policyName === factory.policyName ? latest : this.#take(factory);
    return held.balancer.update(config === undefined ? { endpoints } : { endpoints, config });
  }

  onResolverError(error: ConnectError): void {
    const latest = this.#next ?? this.#current;
    if (latest !== undefined) latest.balancer.onResolverError(error);
    else this.#host.updateState("transient_failure", createResolverErrorPicker(error));
  }

  exitIdle(): void {
    (this.#next ?? this.#current)?.balancer.exitIdle();
  }

  /** Closes the policy. An update afterwards begins again. */
  close(): void {
    const [current, next] = [this.#current, this.#next];
    this.#current = undefined;
    this.#next = undefined;
    current?.close();
    next?.close();
  }

  #take(factory: BalancerFactory): Held {
    const held = new Held(factory, this.#host, (one) => this.#onState(one));
    const replaced = this.#next;
    if (this.#current === undefined) this.#current = held;
    else this.#next = held;
    replaced?.close();
    // What it reported as it was made came too early.
    if (held.hasReported) this.#onState(held);
    return held;
  }

  #onState(held: Held): void {
    const isForNext = held === this.#next && (held.state !== "connecting" || this.#current?.state !== "ready");
    const isTimeForNext = held === this.#current && this.#next !== undefined && held.state !== "ready";
    if (isForNext || isTimeForNext) this.#takeOver();
    else if (held === this.#current) this.#host.updateState(held.state, held.picker);
  }

  #takeOver(): void {
    const old = this.#current;
    const next = this.#next;
    if (next === undefined) return;
    this.#current = next;
    this.#next = undefined;
    this.#host.updateState(next.state, next.picker);
    old?.close();
  }
}

/** A policy with the last that it reported. */
class Held {
  readonly factory: BalancerFactory;
  readonly balancer: Balancer;
  state: ConnectivityState = "connecting";
  picker: Picker = createQueuePicker(() => "connecting");
  hasReported = false;
  #isClosed = false;

  constructor(factory: BalancerFactory, host: BalancerHost, onState: (held: Held) => void) {
    this.factory = factory;
    this.balancer = factory.create(
      deriveHost(host, {
        updateState: (state, picker) => {
          if (this.#isClosed) return;
          this.state = state;
          this.picker = picker;
          this.hasReported = true;
          onState(this);
        },
        requestResolution: () => {
          if (!this.#isClosed) host.requestResolution();
        },
      }),
    );
  }

  close(): void {
    this.#isClosed = true;
    this.balancer.close();
  }
}
