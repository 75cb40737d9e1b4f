import { Code, ConnectError } from "@connectrpc/connect";
import type { Address } from "../../transport/client-connection.ts";
import { formatAddress } from "../address-text.ts";
import type { ConnectivityState } from "../connectivity.ts";
import type { Subchannel } from "../subchannel/index.ts";
import { describeAttempts } from "./describe-attempts.ts";
import type { Balancer, BalancerFactory, BalancerHost, BalancerUpdate, Picker } from "./index.ts";
import { createFailPicker, createQueuePicker, createSubchannelPicker } from "./pickers.ts";

/**
 * gRPC's default policy (gRFC A62): all calls go to the first address that can be reached.
 *
 * It tries the addresses one after the other. When all have failed it is in `transient_failure`, and stays there until one
 * is reached: each address is tried again as soon as its own pause is over. When the connection ends it goes `idle`, asks
 * for resolution, and starts at the first address with the next call.
 */
export const pickFirst: BalancerFactory = {
  policyName: "pick_first",
  create: (host) => new PickFirst(host),
};

class PickFirst implements Balancer {
  readonly #host: BalancerHost;
  #state: ConnectivityState = "connecting";
  /** Without repetitions, in the order of the endpoints. Empty before the first update and after an empty one. */
  #addresses: readonly Address[] = [];
  /** One for each address while it connects, by the address's text; only the chosen one in `ready`; none in `idle`. */
  #subchannels = new Map<string, Subchannel>();
  #chosen: Subchannel | undefined;
  /** Those whose attempt has failed since the pass began; undefined once every address has failed. */
  #failedInPass: Set<Subchannel> | undefined;
  /** Failures since the last request for resolution, counted once the pass is over. */
  #failuresSinceRequest = 0;

  constructor(host: BalancerHost) {
    this.#host = host;
  }

  update({ endpoints }: BalancerUpdate): boolean {
    const hadAddresses = this.#addresses.length > 0;
    const byKey = new Map<string, Address>();
    for (const { addresses } of endpoints) {
      for (const address of addresses) {
        const key = formatAddress(address);
        if (!byKey.has(key)) byKey.set(key, address);
      }
    }
    this.#addresses = [...byKey.values()];

    if (byKey.size === 0) {
      this.#shutdownAllBut(undefined);
      this.#fail(() => this.#createError("the name resolves to no address"));
      return false;
    }
    if (this.#chosen !== undefined && byKey.has(formatAddress(this.#chosen.address))) return true;
    // Addresses that stay keep their attempt or their pause.
    for (const [key, subchannel] of this.#subchannels) {
      if (byKey.has(key)) continue;
      subchannel.shutdown();
      this.#subchannels.delete(key);
    }
    this.#chosen = undefined;
    // Failing is sticky (gRFC A62), but not for want of addresses.
    if (this.#state === "transient_failure" && hadAddresses) this.#startPass();
    else if (this.#state !== "idle") this.#startConnecting();
    return true;
  }

  onResolverError(error: ConnectError): void {
    if (this.#addresses.length > 0) return;
    this.#fail(() => new ConnectError(error.rawMessage, error.code, undefined, undefined, error));
  }

  exitIdle(): void {
    if (this.#state === "idle") this.#startConnecting();
  }

  close(): void {
    this.#shutdownAllBut(undefined);
  }

  #startConnecting(): void {
    const describe = (): string => `connecting: ${this.#describeAttempts()}`;
    this.#report("connecting", createQueuePicker(describe));
    this.#startPass();
  }

  #startPass(): void {
    const before = this.#subchannels;
    this.#subchannels = new Map();
    for (const address of this.#addresses) {
      const key = formatAddress(address);
      this.#subchannels.set(key, before.get(key) ?? this.#createSubchannel(address));
    }
    const failed = new Set<Subchannel>();
    for (const subchannel of this.#subchannels.values()) {
      // One that still pauses has its failure behind it.
      if (subchannel.state === "transient_failure") failed.add(subchannel);
    }
    this.#failedInPass = failed;
    this.#tryNext();
  }

  #createSubchannel(address: Address): Subchannel {
    const subchannel = this.#host.createSubchannel(address, (state) => this.#onSubchannelState(subchannel, state));
    return subchannel;
  }

  /** Connects to the first address that has not failed in this pass, or ends the pass. */
  #tryNext(): void {
    const failed = this.#failedInPass;
    if (failed === undefined) return;
    for (const subchannel of this.#subchannels.values()) {
      if (failed.has(subchannel)) continue;
      subchannel.connect();
      return;
    }
    this.#failedInPass = undefined;
    this.#failuresSinceRequest = 0;
    this.#fail(() => this.#createError(this.#describeAttempts()));
    this.#host.requestResolution();
    // Resolution may have begun another pass meanwhile.
    if (this.#failedInPass !== undefined) return;
    // Those whose pause ended during the pass; the others follow as theirs end.
    for (const subchannel of this.#subchannels.values()) subchannel.connect();
  }

  #onSubchannelState(subchannel: Subchannel, state: ConnectivityState): void {
    if (state === "ready") {
      this.#choose(subchannel);
    } else if (subchannel === this.#chosen) {
      this.#loseChosen(subchannel);
    } else if (state === "transient_failure") {
      this.#onAttemptFailed(subchannel);
    } else if (state === "idle" && this.#failedInPass === undefined) {
      subchannel.connect();
    }
  }

  #choose(subchannel: Subchannel): void {
    this.#shutdownAllBut(subchannel);
    this.#chosen = subchannel;
    this.#failedInPass = undefined;
    const where = formatAddress(subchannel.address);
    const describe = (): string => {
      const openCalls = subchannel.connection?.openCalls ?? 0;
      return `${where} takes no more calls at once (${openCalls} are open)`;
    };
    this.#report("ready", createSubchannelPicker(subchannel, describe));
  }

  #loseChosen(subchannel: Subchannel): void {
    const reason = subchannel.lastError?.message ?? "the connection ended";
    this.#shutdownAllBut(undefined);
    const describe = (): string => `idle since ${formatAddress(subchannel.address)}: ${reason}`;
    // First the state: resolution may bring new addresses at once, which must find it idle.
    this.#report(
      "idle",
      createQueuePicker(describe, () => this.exitIdle()),
    );
    this.#host.requestResolution();
  }

  #onAttemptFailed(subchannel: Subchannel): void {
    if (this.#failedInPass !== undefined) {
      this.#failedInPass.add(subchannel);
      this.#tryNext();
      return;
    }
    // As many failures as addresses say the same as a whole failed pass.
    this.#failuresSinceRequest += 1;
    if (this.#failuresSinceRequest < this.#subchannels.size) return;
    this.#failuresSinceRequest = 0;
    this.#host.requestResolution();
  }

  #fail(createError: () => ConnectError): void {
    this.#report("transient_failure", createFailPicker(createError));
  }

  #report(state: ConnectivityState, picker: Picker): void {
    this.#state = state;
    this.#host.updateState(state, picker);
  }

  #shutdownAllBut(kept: Subchannel | undefined): void {
    for (const [key, subchannel] of this.#subchannels) {
      if (subchannel === kept) continue;
      subchannel.shutdown();
      this.#subchannels.delete(key);
    }
    if (kept === undefined) {
      this.#chosen = undefined;
      this.#failedInPass = undefined;
    }
  }

  #describeAttempts(): string {
    return describeAttempts([...this.#subchannels.values()]);
  }

  #createError(reason: string): ConnectError {
    return new ConnectError(`no connection to "${this.#host.targetText}": ${reason}`, Code.Unavailable);
  }
}
