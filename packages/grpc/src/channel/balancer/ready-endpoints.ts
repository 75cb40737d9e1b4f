import type { ConnectError } from "@connectrpc/connect";
import type { ConnectivityState } from "../subchannel/connectivity.ts";
import type { Subchannel } from "../subchannel/index.ts";
import { type EndpointChild, EndpointChildren } from "./endpoint-children.ts";
import type { Balancer, BalancerHost, BalancerUpdate, CallTracker, Picker, PickInfo, PickResult } from "./index.ts";
import { createQueuePicker, createResolverErrorPicker, createUnavailablePicker } from "./pickers.ts";

/** The result of a pick for a subchannel. */
export type CompleteResult = Extract<PickResult, { kind: "complete" }>;

/** How a policy spreads calls over the endpoints that are ready; the rest is the same for all that keep to it. */
export interface ReadyPolicy {
  /** `config` as in BalancerUpdate. Comes before the first picker and with each update. */
  configure?(config: unknown): void;
  /**
   * At least one endpoint, in the resolver's order. Called with the first pick after a change: while thousands of endpoints
   * connect, no call may care for most of the sets there are. What it makes treats all calls alike (`dependsOnCall` false).
   */
  createPicker(ready: readonly EndpointChild[]): Picker;
  /** An endpoint has become ready or has ceased to be. */
  onReady?(child: EndpointChild, isReady: boolean): void;
  close?(): void;
}

/**
 * A balancer that keeps every endpoint connected and leaves to a policy which of those that are ready takes a call: what
 * round_robin, random, least_request and weighted_round_robin have in common. It is ready as long as one endpoint is, failing
 * when all are, and otherwise connecting.
 */
export function createReadyEndpointsBalancer(host: BalancerHost, policy: ReadyPolicy): Balancer {
  return new ReadyEndpointsBalancer(host, policy);
}

class ReadyEndpointsBalancer implements Balancer {
  readonly #host: BalancerHost;
  readonly #policy: ReadyPolicy;
  readonly #children: EndpointChildren;
  #state: ConnectivityState | undefined;
  readonly #ready = new Set<EndpointChild>();

  constructor(host: BalancerHost, policy: ReadyPolicy) {
    this.#host = host;
    this.#policy = policy;
    this.#children = new EndpointChildren(host, {
      isLazy: false,
      onChange: (child, before) => {
        this.#noteReady(child);
        // An endpoint that tries again amid ready ones, or fails amid connecting ones, changes nothing for calls.
        const concernsCalls = child.state === "ready" || before === "ready" || this.#currentState() !== this.#state;
        if (concernsCalls) this.#report();
      },
    });
  }

  update({ endpoints, config }: BalancerUpdate): boolean {
    this.#policy.configure?.(config);
    this.#children.update(endpoints);
    this.#noteAllReady();
    if (endpoints.length > 0) this.#report();
    else this.#fail(() => "the name resolves to no address");
    return endpoints.length > 0;
  }

  onResolverError(error: ConnectError): void {
    if (this.#children.list.length > 0) return;
    this.#enter("transient_failure", createResolverErrorPicker(error));
  }

  /** No endpoint is ever left idle. */
  exitIdle(): void {}

  close(): void {
    this.#children.close();
    for (const child of this.#ready) this.#policy.onReady?.(child, false);
    this.#policy.close?.();
  }

  #currentState(): ConnectivityState {
    if (this.#children.count("ready") > 0) return "ready";
    return this.#children.count("transient_failure") === this.#children.list.length
      ? "transient_failure"
      : "connecting";
  }

  #report(): void {
    const state = this.#currentState();
    if (state === "ready") this.#enter(state, new LazyPicker(() => this.#createPicker()));
    else if (state === "transient_failure") this.#fail(() => this.#children.describe());
    else
      this.#enter(
        state,
        createQueuePicker(() => this.#children.describe()),
      );
  }

  #noteReady(child: EndpointChild): void {
    const isReady = child.state === "ready";
    if (this.#ready.has(child) === isReady) return;
    if (isReady) this.#ready.add(child);
    else this.#ready.delete(child);
    this.#policy.onReady?.(child, isReady);
  }

  #noteAllReady(): void {
    const present = new Set(this.#children.list);
    for (const child of [...this.#ready]) {
      if (present.has(child)) continue;
      this.#ready.delete(child);
      this.#policy.onReady?.(child, false);
    }
    for (const child of present) this.#noteReady(child);
  }

  #createPicker(): Picker {
    return this.#policy.createPicker(this.#children.list.filter(({ state }) => state === "ready"));
  }

  #fail(describe: () => string): void {
    this.#enter("transient_failure", createUnavailablePicker(this.#host.targetText, describe));
  }

  #enter(state: ConnectivityState, picker: Picker): void {
    this.#state = state;
    this.#host.updateState(state, picker);
  }
}

/** A picker that is made when it is first wanted. None of those that are made so depends on the call. */
class LazyPicker implements Picker {
  readonly dependsOnCall = false;
  readonly #create: () => Picker;
  #picker: Picker | undefined;

  constructor(create: () => Picker) {
    this.#create = create;
  }

  pick(info: PickInfo | undefined): PickResult {
    this.#picker ??= this.#create();
    return this.#picker.pick(info);
  }

  describe(): string {
    this.#picker ??= this.#create();
    return this.#picker.describe();
  }
}

/** The subchannel of an endpoint that is ready. */
export function subchannelOf(child: EndpointChild): Subchannel {
  return resultOf(child).subchannel;
}

/** An endpoint that is ready has a pick_first with the same answer for every call. */
function resultOf(child: EndpointChild): CompleteResult {
  const result = child.picker.pick(undefined);
  if (result.kind !== "complete") throw new Error(`an endpoint that is ready answers a pick with ${result.kind}`);
  return result;
}

/** The pick results of these endpoints, created once so that picking does not allocate. */
export function resultsOf(
  ready: readonly EndpointChild[],
  trackerOf?: (child: EndpointChild) => CallTracker,
): readonly CompleteResult[] {
  if (trackerOf === undefined) return ready.map(resultOf);
  return ready.map((child) => ({ kind: "complete", subchannel: subchannelOf(child), tracker: trackerOf(child) }));
}

/**
 * The result at `start`, or the next one, around the end, that has a place for a call; the one at `start` if none has. So a
 * call waits only when all are full.
 */
export function resultWithPlace(results: readonly CompleteResult[], start: number): CompleteResult {
  const first = results[start] as CompleteResult;
  if (first.subchannel.connection?.canStartCall) return first;
  for (let i = start + 1; i < results.length; i += 1) {
    const result = results[i] as CompleteResult;
    if (result.subchannel.connection?.canStartCall) return result;
  }
  for (let i = 0; i < start; i += 1) {
    const result = results[i] as CompleteResult;
    if (result.subchannel.connection?.canStartCall) return result;
  }
  return first;
}

/** What a call is waiting for that finds every ready endpoint full. */
export function describeFull(results: readonly CompleteResult[]): string {
  return results.length === 1
    ? "the only connected endpoint has reached its limit of concurrent calls"
    : `none of the ${results.length} connected endpoints takes more calls at once`;
}
