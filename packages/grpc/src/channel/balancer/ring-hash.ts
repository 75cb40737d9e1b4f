import type { ConnectError } from "@connectrpc/connect";
import { formatAddress } from "../naming/address-text.ts";
import type { ConnectivityState } from "../subchannel/connectivity.ts";
import { ConfigFields } from "./config-fields.ts";
import { endpointHashKey, endpointWeight } from "./endpoint-attributes.ts";
import { type EndpointChild, EndpointChildren } from "./endpoint-children.ts";
import { createHashRing, type HashRing } from "./hash-ring.ts";
import type { Balancer, BalancerFactory, BalancerHost, BalancerUpdate, Picker, PickInfo, PickResult } from "./index.ts";
import { createResolverErrorPicker, createUnavailablePicker, queueResult } from "./pickers.ts";
import { type Hash64, xxh64OfText } from "./xxh64.ts";

interface RingHashConfig {
  readonly minRingSize: number;
  readonly maxRingSize: number;
  readonly requestHashHeader: string;
}

/** gRFC A42: the largest that is accepted, and what a client allows itself of it. */
const maxConfiguredSize = 8 * 1024 * 1024;
const ringSizeCap = 4096;

/**
 * Calls with the same value of a header go to the same endpoint, as long as it can be reached; when endpoints come or go, only
 * few values move (gRFC A42 and A76). Calls without the header go to any. It connects only to endpoints that calls need.
 * Unlike in other policies, a call waits for its own endpoint even if another has a place free.
 *
 * Config: `requestHashHeader` (required: without xDS nothing else says what to hash), `minRingSize` (1024), `maxRingSize`
 * (4096); sizes above 4096 count as 4096. Of an endpoint it reads the attributes `hash_key` and `weight`.
 */
export function createRingHash(options: { readonly random?: () => number } = {}): BalancerFactory {
  return {
    policyName: "ring_hash",
    parseConfig,
    create: (host) => new RingHash(host, options.random ?? Math.random),
  };
}

function parseConfig(json: Parameters<NonNullable<BalancerFactory["parseConfig"]>>[0]): RingHashConfig {
  const fields = new ConfigFields("ring_hash", json);
  const minRingSize = fields.wholeNumber("minRingSize", 1, maxConfiguredSize, 1024);
  const maxRingSize = fields.wholeNumber("maxRingSize", 1, maxConfiguredSize, 4096);
  if (minRingSize > maxRingSize) throw fields.wrong("minRingSize", `at most maxRingSize, which is ${maxRingSize}`);
  const requestHashHeader = fields.text("requestHashHeader", "").toLowerCase();
  if (!/^[0-9a-z_.-]+$/.test(requestHashHeader) || requestHashHeader.endsWith("-bin")) {
    throw fields.wrong("requestHashHeader", 'the name of a header that does not end in "-bin"');
  }
  return {
    minRingSize: Math.min(minRingSize, ringSizeCap),
    maxRingSize: Math.min(maxRingSize, ringSizeCap),
    requestHashHeader,
  };
}

class RingHash implements Balancer {
  readonly #host: BalancerHost;
  readonly #random: () => number;
  readonly #children: EndpointChildren;
  #config: RingHashConfig | undefined;
  #ring: HashRing | undefined;
  /** Changes are reported together at the end of what causes them. */
  #isConnecting = false;

  constructor(host: BalancerHost, random: () => number) {
    this.#host = host;
    this.#random = random;
    this.#children = new EndpointChildren(host, { isLazy: true, onChange: () => this.#report() });
  }

  update({ endpoints, config }: BalancerUpdate): boolean {
    this.#config = config as RingHashConfig | undefined;
    this.#children.update(endpoints);
    if (this.#config === undefined) {
      this.#fail(() => "ring_hash needs a config that says what to hash");
      return endpoints.length > 0;
    }
    if (endpoints.length === 0) {
      this.#fail(() => "the name resolves to no address");
      return false;
    }
    const members = this.#children.list.map(({ endpoint }) => ({
      hashKey: endpointHashKey(endpoint) ?? formatAddress(endpoint.addresses[0] ?? { path: "" }),
      weight: endpointWeight(endpoint),
    }));
    this.#ring = createHashRing(members, this.#config.minRingSize, this.#config.maxRingSize);
    this.#report();
    return true;
  }

  onResolverError(error: ConnectError): void {
    if (this.#children.list.length > 0) return;
    this.#host.updateState("transient_failure", createResolverErrorPicker(error));
  }

  exitIdle(): void {
    if (this.#currentState() === "idle") this.#children.list[0]?.connect();
  }

  close(): void {
    this.#children.close();
  }

  /** gRFC A42, "Aggregated Connectivity State": the first that fits. */
  #currentState(): ConnectivityState {
    const children = this.#children;
    const failing = children.count("transient_failure");
    if (children.count("ready") > 0) return "ready";
    if (failing >= 2) return "transient_failure";
    if (children.count("connecting") > 0) return "connecting";
    if (failing === 1 && children.list.length > 1) return "connecting";
    return children.count("idle") > 0 ? "idle" : "transient_failure";
  }

  #report(): void {
    const { list } = this.#children;
    if (this.#isConnecting || this.#ring === undefined || this.#config === undefined || list.length === 0) return;
    // While calls fail or wait there may be none to make endpoints connect, so one more tries each time one has failed.
    const isInTrouble = this.#currentState() === "transient_failure" || this.#currentState() === "connecting";
    if (isInTrouble && this.#children.count("connecting") === 0) {
      this.#isConnecting = true;
      list.find(({ state }) => state === "idle")?.connect();
      this.#isConnecting = false;
    }
    const picker = new RingPicker({
      ring: this.#ring,
      children: list,
      header: this.#config.requestHashHeader,
      hasConnecting: this.#children.count("connecting") > 0,
      random: this.#random,
      describeAll: () => this.#children.describe(),
    });
    this.#host.updateState(this.#currentState(), picker);
  }

  #fail(describe: () => string): void {
    this.#ring = undefined;
    this.#host.updateState("transient_failure", createUnavailablePicker(this.#host.targetText, describe));
  }
}

interface RingPickerOptions {
  readonly ring: HashRing;
  readonly children: readonly EndpointChild[];
  readonly header: string;
  readonly hasConnecting: boolean;
  readonly random: () => number;
  readonly describeAll: () => string;
}

class RingPicker implements Picker {
  readonly dependsOnCall = true;
  readonly #options: RingPickerOptions;
  readonly #hash: Hash64 = { high: 0, low: 0 };

  constructor(options: RingPickerOptions) {
    this.#options = options;
  }

  pick(info: PickInfo | undefined): PickResult {
    // Several values of one name come joined by a comma, as gRFC A76 wants them.
    const value = info?.header.get(this.#options.header) ?? "";
    if (value === "") return this.#pickAnywhere(info);
    xxh64OfText(value, this.#hash);
    return this.#pickAtHash(info);
  }

  describe(): string {
    return this.#options.describeAll();
  }

  /** gRFC A61: the first on the way around the ring that does not fail. */
  #pickAtHash(info: PickInfo | undefined): PickResult {
    const { ring } = this.#options;
    const first = ring.indexOf(this.#hash.high, this.#hash.low);
    for (let i = 0; i < ring.size; i += 1) {
      const child = this.#childAt((first + i) % ring.size);
      // An endpoint that is idle connects when it is picked, one that connects lets the call wait.
      if (child.state !== "transient_failure") return child.picker.pick(info);
    }
    return this.#childAt(first).picker.pick(info);
  }

  /** gRFC A76: from a random point, the first that is ready; one of the idle ones on the way may begin to connect. */
  #pickAnywhere(info: PickInfo | undefined): PickResult {
    const { ring, random, hasConnecting } = this.#options;
    const first = Math.floor(random() * ring.size);
    let isConnecting = hasConnecting;
    for (let i = 0; i < ring.size; i += 1) {
      const child = this.#childAt((first + i) % ring.size);
      if (child.state === "ready") return child.picker.pick(info);
      if (!isConnecting && child.state === "idle") {
        isConnecting = true;
        child.connect();
      }
    }
    return isConnecting ? queueResult : this.#childAt(first).picker.pick(info);
  }

  #childAt(index: number): EndpointChild {
    const { ring, children } = this.#options;
    return children[ring.memberAt(index)] as EndpointChild;
  }
}
