import type { ConnectError } from "@connectrpc/connect";
import type { Address } from "../../transport/client/client-connection.ts";
import { addressKey, formatAddress } from "../naming/address-text.ts";
import type { ConnectivityState } from "../subchannel/connectivity.ts";
import type { Subchannel } from "../subchannel/index.ts";
import { interleaveFamilies, shuffleEndpoints } from "./address-order.ts";
import { ConfigFields } from "./config-fields.ts";
import { ConnectingPass } from "./connecting-pass.ts";
import { describeAttempts } from "./describe-attempts.ts";
import type { Balancer, BalancerFactory, BalancerHost, BalancerUpdate, Picker } from "./index.ts";
import {
  createQueuePicker,
  createResolverErrorPicker,
  createSubchannelPicker,
  createUnavailablePicker,
} from "./pickers.ts";

export interface PickFirstOptions {
  /** Whether the health of the chosen server counts. Only for the child of another policy (gRFC A61). Default false. */
  readonly followsHealth?: boolean;
  /** For `shuffleAddressList`; from 0 up to 1. Default `Math.random`. */
  readonly random?: () => number;
}

interface PickFirstConfig {
  readonly shuffleAddressList: boolean;
}

/**
 * gRPC's default policy (gRFC A62 and A61): all calls go to the first address that can be reached.
 *
 * It tries the addresses in their order, IPv4 and IPv6 in turns, and begins the next one when an attempt has failed or has
 * taken 250 ms. When all have failed it is in `transient_failure`, and stays there until one is reached: each address is
 * tried again as soon as its own pause is over. When the connection ends it becomes `idle`, requests resolution, and starts at
 * the first address with the next call; at once if the server ended a connection that was in use. Its config has one
 * field, `shuffleAddressList`: the order of the endpoints becomes random, by weight.
 */
export function createPickFirst(options: PickFirstOptions = {}): BalancerFactory {
  return {
    policyName: "pick_first",
    parseConfig: (json): PickFirstConfig => ({
      shuffleAddressList: new ConfigFields("pick_first", json).flag("shuffleAddressList", false),
    }),
    create: (host) => new PickFirst(host, options.followsHealth ?? false, options.random ?? Math.random),
  };
}

export const pickFirst: BalancerFactory = createPickFirst();

class PickFirst implements Balancer {
  readonly #host: BalancerHost;
  readonly #followsHealth: boolean;
  readonly #random: () => number;
  #state: ConnectivityState = "connecting";
  /** Without repetitions, in the order to try them. Empty before the first update and after an empty one. */
  #addresses: readonly Address[] = [];
  /** One for each address while it connects, by the address's text; only the chosen one in `ready`; none in `idle`. */
  #subchannels = new Map<string, Subchannel>();
  #chosen: Subchannel | undefined;
  #stopHealthWatch: (() => void) | undefined;
  /** Undefined once every address has failed. */
  #pass: ConnectingPass | undefined;
  /** Failures since the last request for resolution, counted once the pass is over. */
  #failuresSinceRequest = 0;
  #isClosed = false;

  constructor(host: BalancerHost, followsHealth: boolean, random: () => number) {
    this.#host = host;
    this.#followsHealth = followsHealth;
    this.#random = random;
  }

  update({ endpoints, config }: BalancerUpdate): boolean {
    const hadAddresses = this.#addresses.length > 0;
    const isShuffled = (config as PickFirstConfig | undefined)?.shuffleAddressList ?? false;
    const ordered = isShuffled ? shuffleEndpoints(endpoints, this.#random) : endpoints;
    const byKey = new Map<string, Address>();
    for (const { addresses } of ordered) {
      for (const address of addresses) {
        const key = addressKey(address);
        if (!byKey.has(key)) byKey.set(key, address);
      }
    }
    this.#addresses = interleaveFamilies([...byKey.values()]);

    if (byKey.size === 0) {
      this.#shutdownAllBut(undefined);
      this.#fail(() => "the name resolves to no address");
      return false;
    }
    if (this.#chosen !== undefined && byKey.has(addressKey(this.#chosen.address))) return true;
    // Addresses that stay keep their attempt or their pause.
    this.#forgetChosen();
    for (const [key, subchannel] of this.#subchannels) {
      if (byKey.has(key)) continue;
      subchannel.shutdown();
      this.#subchannels.delete(key);
    }
    // Failing is sticky (gRFC A62), but not for want of addresses.
    if (this.#state === "transient_failure" && hadAddresses) this.#startPass();
    else if (this.#state !== "idle") this.#startConnecting();
    return true;
  }

  onResolverError(error: ConnectError): void {
    if (this.#addresses.length > 0) return;
    this.#report("transient_failure", createResolverErrorPicker(error));
  }

  exitIdle(): void {
    if (this.#state === "idle") this.#startConnecting();
  }

  close(): void {
    this.#isClosed = true;
    this.#shutdownAllBut(undefined);
  }

  #startConnecting(): void {
    const describe = (): string => `connecting: ${this.#describeAttempts()}`;
    this.#report("connecting", createQueuePicker(describe));
    this.#startPass();
  }

  #startPass(): void {
    // A report may make the host close this policy before it returns.
    if (this.#isClosed) return;
    const before = this.#subchannels;
    this.#subchannels = new Map();
    for (const address of this.#addresses) {
      const key = addressKey(address);
      this.#subchannels.set(key, before.get(key) ?? this.#createSubchannel(address));
    }
    this.#pass?.stop();
    this.#pass = new ConnectingPass([...this.#subchannels.values()], this.#host.clock, () => this.#onPassFailed());
    this.#pass.start();
  }

  #createSubchannel(address: Address): Subchannel {
    const subchannel = this.#host.createSubchannel(address, (state) => this.#onSubchannelState(subchannel, state));
    return subchannel;
  }

  #onPassFailed(): void {
    this.#pass = undefined;
    this.#failuresSinceRequest = 0;
    this.#fail(() => this.#describeAttempts());
    this.#host.requestResolution();
    // Resolution may have begun another pass in the meantime.
    if (this.#pass !== undefined) return;
    // Those whose pause ended during the pass; the others follow as theirs end.
    for (const subchannel of this.#subchannels.values()) subchannel.connect();
  }

  #onSubchannelState(subchannel: Subchannel, state: ConnectivityState): void {
    if (state === "ready") {
      this.#choose(subchannel);
    } else if (subchannel === this.#chosen) {
      this.#loseChosen(subchannel);
    } else if (this.#pass !== undefined) {
      if (state === "transient_failure") this.#pass.onAttemptFailed(subchannel);
    } else if (state === "transient_failure") {
      this.#onAttemptFailed();
    } else if (state === "idle") {
      subchannel.connect();
    }
  }

  #choose(subchannel: Subchannel): void {
    this.#shutdownAllBut(subchannel);
    this.#chosen = subchannel;
    const { watchHealth } = this.#host;
    if (!this.#followsHealth || watchHealth === undefined) {
      this.#reportReady(subchannel);
      return;
    }
    let isEnded = false;
    let endWatch: (() => void) | undefined;
    this.#stopHealthWatch = () => {
      isEnded = true;
      endWatch?.();
    };
    endWatch = watchHealth(subchannel, ({ state, reason }) => {
      if (isEnded) return;
      const describe = (): string => `${formatAddress(subchannel.address)}: ${reason}`;
      if (state === "ready") this.#reportReady(subchannel);
      else if (state === "connecting") this.#report("connecting", createQueuePicker(describe));
      else this.#fail(describe);
    });
    // The listener's first call may have ended it.
    if (isEnded) endWatch();
  }

  #reportReady(subchannel: Subchannel): void {
    const where = formatAddress(subchannel.address);
    const describe = (): string => {
      const openCalls = subchannel.connection?.openCalls ?? 0;
      return `${where} has reached its limit of concurrent calls (${openCalls} are open)`;
    };
    this.#report("ready", createSubchannelPicker(subchannel, describe));
  }

  #loseChosen(subchannel: Subchannel): void {
    const where = formatAddress(subchannel.address);
    const reason = subchannel.lastError?.message ?? "the connection ended";
    // One that already connects again, or waits to (gRFC A105), continues. In idle it is kept as well: it remembers whether its
    // server hangs up on every connection, and has the counts that channelz reports.
    const isReplaced = subchannel.state !== "idle" || subchannel.closedWhileActive;
    this.#shutdownAllBut(subchannel);
    this.#forgetChosen();
    // First the state: resolution may bring new addresses at once, which must find it.
    if (isReplaced) {
      this.#startConnecting();
    } else {
      const describe = (): string => `idle since ${where}: ${reason}`;
      this.#report(
        "idle",
        createQueuePicker(describe, () => this.exitIdle()),
      );
    }
    this.#host.requestResolution();
  }

  #onAttemptFailed(): void {
    // As many failures as addresses say the same as a whole failed pass.
    this.#failuresSinceRequest += 1;
    if (this.#failuresSinceRequest < this.#subchannels.size) return;
    this.#failuresSinceRequest = 0;
    this.#host.requestResolution();
  }

  #fail(describe: () => string): void {
    this.#report("transient_failure", createUnavailablePicker(this.#host.targetText, describe));
  }

  #report(state: ConnectivityState, picker: Picker): void {
    this.#state = state;
    this.#host.updateState(state, picker);
  }

  #forgetChosen(): void {
    this.#chosen = undefined;
    this.#stopHealthWatch?.();
    this.#stopHealthWatch = undefined;
  }

  #shutdownAllBut(kept: Subchannel | undefined): void {
    this.#pass?.stop();
    this.#pass = undefined;
    for (const [key, subchannel] of this.#subchannels) {
      if (subchannel === kept) continue;
      subchannel.shutdown();
      this.#subchannels.delete(key);
    }
    if (kept === undefined) this.#forgetChosen();
  }

  #describeAttempts(): string {
    return describeAttempts([...this.#subchannels.values()]);
  }
}
