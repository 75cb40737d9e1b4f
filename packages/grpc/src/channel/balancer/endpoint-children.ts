import { addressKey } from "../naming/address-text.ts";
import type { Endpoint } from "../resolver/index.ts";
import type { ConnectivityState } from "../subchannel/connectivity.ts";
import { deriveHost } from "./derive-host.ts";
import { endpointKey } from "./endpoint-key.ts";
import type { Balancer, BalancerHost, Picker } from "./index.ts";
import { createPickFirst } from "./pick-first.ts";
import { createQueuePicker } from "./pickers.ts";

const connectToEndpoint = createPickFirst({ followsHealth: true });

/** An error message with a thousand endpoints helps no one. */
const maxNamedEndpoints = 16;

/** One endpoint of a policy that spreads calls: pick_first connects to whichever of its addresses it can (gRFC A61). */
export class EndpointChild {
  /** The set of its addresses, as text: what makes it the same endpoint in the next update. */
  readonly key: string;
  /**
   * Failing is left only by becoming ready, and `connecting` amid that counts as failing (gRFC A48): otherwise the endpoints
   * that try again would keep calls waiting while all of them are down.
   */
  state: ConnectivityState = "idle";
  picker: Picker;
  endpoint: Endpoint;
  readonly #host: BalancerHost;
  readonly #onState: (child: EndpointChild, before: ConnectivityState) => void;
  #balancer: Balancer | undefined;

  constructor(
    key: string,
    endpoint: Endpoint,
    host: BalancerHost,
    onState: (child: EndpointChild, before: ConnectivityState) => void,
  ) {
    this.key = key;
    this.endpoint = endpoint;
    this.#host = host;
    this.#onState = onState;
    this.picker = createQueuePicker(
      () => `${formatEndpoint(this.endpoint)}: idle`,
      () => this.connect(),
    );
  }

  /** Connects if the endpoint is idle. */
  connect(): void {
    if (this.#balancer !== undefined) {
      this.#balancer.exitIdle();
      return;
    }
    this.#balancer = connectToEndpoint.create(
      deriveHost(this.#host, { updateState: (state, picker) => this.#enter(state, picker) }),
    );
    this.#balancer.update({ endpoints: [this.endpoint] });
  }

  update(endpoint: Endpoint): void {
    const isSameOrder = formatEndpoint(endpoint) === formatEndpoint(this.endpoint);
    this.endpoint = endpoint;
    if (!isSameOrder) this.#balancer?.update({ endpoints: [endpoint] });
  }

  close(): void {
    this.#balancer?.close();
  }

  #enter(state: ConnectivityState, picker: Picker): void {
    const before = this.state;
    if (before === "transient_failure" && state === "connecting") return;
    this.state = state;
    this.picker = picker;
    this.#onState(this, before);
  }
}

export interface EndpointChildrenOptions {
  /** Whether an endpoint waits for a call before it connects. Otherwise each is kept connected at all times. */
  readonly isLazy: boolean;
  /** An endpoint is in another state, or has another picker in the same. Not called from within `update`. */
  onChange(child: EndpointChild, before: ConnectivityState): void;
}

/** The endpoints of a policy, each of them once, in the resolver's order. */
export class EndpointChildren {
  readonly #host: BalancerHost;
  readonly #options: EndpointChildrenOptions;
  #byKey = new Map<string, EndpointChild>();
  #list: readonly EndpointChild[] = [];
  readonly #counts = new Map<ConnectivityState, number>();
  #isUpdating = false;
  #isClosed = false;

  constructor(host: BalancerHost, options: EndpointChildrenOptions) {
    this.#host = host;
    this.#options = options;
  }

  get list(): readonly EndpointChild[] {
    return this.#list;
  }

  /** How many are in this state. */
  count(state: ConnectivityState): number {
    return this.#counts.get(state) ?? 0;
  }

  /** Endpoints that stay, those with the same addresses in any order, keep what they have. */
  update(endpoints: readonly Endpoint[]): void {
    const before = this.#byKey;
    const byKey = new Map<string, EndpointChild>();
    this.#isUpdating = true;
    this.#byKey = byKey;
    for (const endpoint of endpoints) {
      const key = endpointKey(endpoint);
      if (byKey.has(key)) continue;
      const known = before.get(key);
      byKey.set(key, known ?? new EndpointChild(key, endpoint, this.#host, this.#onState));
      known?.update(endpoint);
    }
    for (const [key, child] of before) {
      if (byKey.get(key) === child) continue;
      child.close();
    }
    this.#list = [...byKey.values()];
    if (!this.#options.isLazy) {
      for (const child of this.#list) {
        if (child.state === "idle") child.connect();
      }
    }
    this.#isUpdating = false;
    this.#counts.clear();
    for (const { state } of this.#list) this.#counts.set(state, this.count(state) + 1);
  }

  /** What becomes of the endpoints, for an error: at most sixteen are named. */
  describe(): string {
    const named = this.#list.slice(0, maxNamedEndpoints).map(({ picker }) => picker.describe());
    const others = this.#list.length - named.length;
    if (others > 0) named.push(`and ${others} more endpoints`);
    return named.join("; ");
  }

  close(): void {
    this.#isClosed = true;
    for (const child of this.#list) child.close();
  }

  readonly #onState = (child: EndpointChild, before: ConnectivityState): void => {
    if (this.#isClosed || this.#byKey.get(child.key) !== child) return;
    if (!this.#isUpdating) {
      this.#counts.set(before, this.count(before) - 1);
      this.#counts.set(child.state, this.count(child.state) + 1);
    }
    // Those that are kept connected do not stay idle, which leaves nothing to report.
    if (child.state === "idle" && !this.#options.isLazy) child.connect();
    if (this.#isUpdating) return;
    this.#options.onChange(child, before);
  };
}

function formatEndpoint({ addresses }: Endpoint): string {
  return addresses.map(addressKey).join(" ");
}
