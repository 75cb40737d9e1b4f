import type { ConnectError } from "@connectrpc/connect";
import type { ConnectivityState } from "../connectivity.ts";
import type { Subchannel } from "../subchannel/index.ts";
import { type EndpointChild, EndpointChildren } from "./endpoint-children.ts";
import type { Balancer, BalancerHost, BalancerUpdate, CallTracker, Picker, PickResult } from "./index.ts";
import { createQueuePicker, createResolverErrorPicker, createUnavailablePicker } from "./pickers.ts";

/** What a pick for a subchannel answers. */
export type CompleteResult = Extract<PickResult, { kind: "complete" }>;

/** How a policy spreads calls over the endpoints that are ready; the rest is the same for all that keep to it. */
export interface ReadyPolicy {
  /** `config` as in BalancerUpdate. Comes before the first picker and with each update. */
  configure?(config: unknown): void;
  /** At least one endpoint, in the resolver's order. */
  createPicker(ready: readonly EndpointChild[]): Picker;
  /** An endpoint has become ready or has ceased to be; before the picker that follows from it. */
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
  #ready: ReadonlySet<EndpointChild> = new Set();

  constructor(host: BalancerHost, policy: ReadyPolicy) {
    this.#host = host;
    this.#policy = policy;
    this.#children = new EndpointChildren(host, {
      isLazy: false,
      onChange: (child, before) => {
        // An endpoint that tries again amid ready ones, or fails amid connecting ones, changes nothing for calls.
        const concernsCalls = child.state === "ready" || before === "ready" || this.#currentState() !== this.#state;
        if (concernsCalls) this.#report();
      },
    });
  }

  update({ endpoints, config }: BalancerUpdate): boolean {
    this.#policy.configure?.(config);
    this.#children.update(endpoints);
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
    this.#noteReady();
    const state = this.#currentState();
    if (state === "ready") this.#enter(state, this.#policy.createPicker([...this.#ready]));
    else if (state === "transient_failure") this.#fail(() => this.#children.describe());
    else
      this.#enter(
        state,
        createQueuePicker(() => this.#children.describe()),
      );
  }

  #noteReady(): void {
    const before = this.#ready;
    this.#ready = new Set(this.#children.list.filter(({ state }) => state === "ready"));
    if (this.#policy.onReady === undefined) return;
    for (const child of before) if (!this.#ready.has(child)) this.#policy.onReady(child, false);
    for (const child of this.#ready) if (!before.has(child)) this.#policy.onReady(child, true);
  }

  #fail(describe: () => string): void {
    this.#noteReady();
    this.#enter("transient_failure", createUnavailablePicker(this.#host.targetText, describe));
  }

  #enter(state: ConnectivityState, picker: Picker): void {
    this.#state = state;
    this.#host.updateState(state, picker);
  }
}

/** The subchannel of an endpoint that is ready: its pick_first has the same answer for every call. */
export function subchannelOf(child: EndpointChild): Subchannel {
  const result = child.picker.pick(undefined);
  if (result.kind !== "complete") throw new Error(`an endpoint that is ready answers a pick with ${result.kind}`);
  return result.subchannel;
}

/** What a picker answers for each of these endpoints, made once so that picking makes nothing. */
export function resultsOf(
  ready: readonly EndpointChild[],
  trackerOf?: (child: EndpointChild) => CallTracker,
): readonly CompleteResult[] {
  return ready.map((child) => {
    const subchannel = subchannelOf(child);
    return trackerOf === undefined
      ? { kind: "complete", subchannel }
      : { kind: "complete", subchannel, tracker: trackerOf(child) };
  });
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
    ? "the only connected endpoint takes no more calls at once"
    : `none of the ${results.length} connected endpoints takes more calls at once`;
}
