import type { ConnectError } from "@connectrpc/connect";
import type { Balancer, BalancerFactory, BalancerHost, BalancerUpdate, Picker } from "./balancer/index.ts";
import { createQueuePicker } from "./balancer/pickers.ts";
import type { ConnectivityState } from "./connectivity.ts";

interface Seat {
  readonly factory: BalancerFactory;
  readonly balancer: Balancer;
  state: ConnectivityState;
  picker: Picker;
}

/**
 * Holds a channel's balancer and replaces it when the service config names another policy, without a call noticing: the new
 * one takes over once it can serve calls, or knows that it cannot, or when the old one cannot either.
 */
export class BalancerSwitch {
  readonly #host: BalancerHost;
  #current: Seat | undefined;
  /** Gets all updates, and no call yet. */
  #next: Seat | undefined;

  /** What the balancers report reaches `host` from the one in office only. */
  constructor(host: BalancerHost) {
    this.#host = host;
  }

  /** The policy that gets updates: the one in office, or the one that is to replace it. */
  get policyName(): string | undefined {
    return (this.#next ?? this.#current)?.factory.policyName;
  }

  update(factory: BalancerFactory, update: BalancerUpdate): boolean {
    return this.#seatOf(factory).balancer.update(update);
  }

  onResolverError(factory: BalancerFactory, error: ConnectError): void {
    (this.#next ?? this.#current ?? this.#seatOf(factory)).balancer.onResolverError(error);
  }

  exitIdle(): void {
    (this.#next ?? this.#current)?.balancer.exitIdle();
  }

  close(): void {
    const seats = [this.#current, this.#next];
    this.#current = undefined;
    this.#next = undefined;
    for (const seat of seats) seat?.balancer.close();
  }

  #seatOf(factory: BalancerFactory): Seat {
    const latest = this.#next ?? this.#current;
    if (latest?.factory === factory) return latest;
    const replaced = this.#next;
    const seat = this.#createSeat(factory);
    if (this.#current === undefined) this.#current = seat;
    else this.#next = seat;
    replaced?.balancer.close();
    return seat;
  }

  #createSeat(factory: BalancerFactory): Seat {
    const host = this.#host;
    const seat: Seat = {
      factory,
      state: "connecting",
      picker: createQueuePicker(() => "starting to balance"),
      balancer: factory.create({
        targetText: host.targetText,
        clock: host.clock,
        createSubchannel: (address, onState) => host.createSubchannel(address, onState),
        requestResolution: () => host.requestResolution(),
        updateState: (state, picker) => this.#onState(seat, state, picker),
      }),
    };
    return seat;
  }

  #onState(seat: Seat, state: ConnectivityState, picker: Picker): void {
    seat.state = state;
    seat.picker = picker;
    if (seat === this.#next) {
      if (state !== "connecting" || this.#current?.state !== "ready") this.#promoteNext();
    } else if (seat === this.#current) {
      if (this.#next !== undefined && state !== "ready") this.#promoteNext();
      else this.#host.updateState(state, picker);
    }
  }

  #promoteNext(): void {
    const { state, picker } = this.#next as Seat;
    const retired = this.#current;
    this.#current = this.#next;
    this.#next = undefined;
    this.#host.updateState(state, picker);
    retired?.balancer.close();
  }
}
