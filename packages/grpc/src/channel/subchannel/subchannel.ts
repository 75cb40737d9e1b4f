import type { Clock } from "../../time/clock.ts";
import type { Address, ClientConnection, Connect } from "../../transport/client/client-connection.ts";
import type { Backoff } from "../retry/backoff.ts";
import type { ConnectivityState } from "./connectivity.ts";
import type { CallCounts, Subchannel, SubchannelStateListener } from "./index.ts";
import { SubchannelConnection, type SubchannelConnectionOwner } from "./subchannel-connection.ts";

export interface SubchannelOptions {
  readonly connect: Connect;
  readonly clock: Clock;
  readonly backoff: Backoff;
  /** Least time an attempt may take; a longer backoff extends it (gRPC's connection backoff protocol). Default 20,000 ms. */
  readonly connectTimeoutMs?: number;
  /**
   * The largest number of connections at once, read each time another one is needed. Default 10, the limit that gRFC A105
   * sets for clients: with one, a call beyond the peer's stream limit would wait for another call to end. Connections
   * that are there stay when the answer becomes smaller.
   */
  readonly maxConnections?: () => number;
  /** `connection.canStartCall` may have become true without a change of state. */
  readonly onCapacity?: () => void;
}

const minConnectTimeoutMs = 20_000;
const defaultMaxConnections = 10;

/** Makes a subchannel in `idle`. */
export function createSubchannel(
  address: Address,
  options: SubchannelOptions,
  onState: SubchannelStateListener,
): Subchannel {
  return new ConnectingSubchannel(address, options, onState);
}

class ConnectingSubchannel implements Subchannel, SubchannelConnectionOwner {
  readonly address: Address;
  readonly calls: CallCounts = { started: 0, succeeded: 0, failed: 0 };
  closedWhileActive = false;
  onCallEnd: Subchannel["onCallEnd"] = undefined;
  readonly #options: SubchannelOptions;
  readonly #onState: SubchannelStateListener;
  #state: ConnectivityState = "idle";
  /** Links that take calls, oldest first. Events of any link that is neither here nor the attempt are old news. */
  #links: readonly SubchannelConnection[] = [];
  /** For channelz: connections that no longer take calls still finish theirs. */
  readonly #open = new Set<SubchannelConnection>();
  /** The oldest connection, in a field because every call reads it. */
  #first: ClientConnection | undefined;
  readonly #connectionListeners = new Set<() => void>();
  #attempt: SubchannelConnection | undefined;
  #lastError: Error | undefined;
  #failedAttempts = 0;
  /** Connections in a row that ended, of no use, within the pause that a failed attempt would have been followed by. */
  #quickFailures = 0;
  /** `calls.succeeded` when the oldest connection came. */
  #succeededBefore = 0;
  #nextAttemptAtMs = 0;
  #cancelBackoff: (() => void) | undefined;

  constructor(address: Address, options: SubchannelOptions, onState: SubchannelStateListener) {
    this.address = address;
    this.#options = options;
    this.#onState = onState;
  }

  get state(): ConnectivityState {
    return this.#state;
  }

  get connection(): ClientConnection | undefined {
    const first = this.#first;
    if (first === undefined || this.#links.length === 1 || first.canStartCall) return first;
    for (const { connection } of this.#links) {
      if (connection?.canStartCall) return connection;
    }
    return first;
  }

  get openConnections(): ClientConnection[] {
    return [...this.#open].flatMap(({ connection }) => connection ?? []);
  }

  get connectionCount(): number {
    return this.#links.length;
  }

  get lastError(): Error | undefined {
    return this.#state === "ready" ? undefined : this.#lastError;
  }

  get failedAttempts(): number {
    return this.#failedAttempts;
  }

  get nextAttemptInMs(): number {
    return this.#state === "transient_failure" ? this.#pauseLeftMs() : 0;
  }

  connect(): void {
    if (this.#state === "idle") this.#beginAttempt();
  }

  ensureCapacity(): void {
    if (this.#state !== "ready") return;
    for (const link of this.#links) {
      if (!link.connection?.isAcceptingCalls) this.#dropExhausted(link);
    }
    const mayConnect = this.#attempt === undefined && this.#cancelBackoff === undefined;
    if (!mayConnect || this.#state !== "ready") return;
    // A connection without calls is not full: its server wants none at all, and would not on another connection either.
    const areFull = this.#links.every(
      ({ connection }) => connection?.canStartCall === false && connection.openCalls > 0,
    );
    const max = this.#options.maxConnections?.() ?? defaultMaxConnections;
    if (areFull && this.#links.length < max) this.#beginAttempt();
  }

  watchConnections(listener: () => void): () => void {
    this.#connectionListeners.add(listener);
    return () => this.#connectionListeners.delete(listener);
  }

  shutdown(): void {
    if (this.#state === "shutdown") return;
    const [links, attempt] = [this.#links, this.#attempt];
    this.#setLinks([]);
    this.#attempt = undefined;
    this.#cancelBackoff?.();
    this.#cancelBackoff = undefined;
    this.#state = "shutdown";
    for (const { connection } of links) connection?.drain();
    attempt?.giveUp.abort();
  }

  onConnectionCapacity(link: SubchannelConnection): void {
    if (!this.#links.includes(link)) return;
    if (link.connection?.isAcceptingCalls) this.#offerPlaces();
    else this.#dropExhausted(link);
  }

  onConnectionLost(link: SubchannelConnection, error: Error, closedWhileActive: boolean): void {
    if (!this.#links.includes(link)) return;
    const isQuiet = this.#links.length === 1 && this.#attempt === undefined && this.#cancelBackoff === undefined;
    if (this.#links.length === 1) {
      // Servers that are replaced one after the other may each serve for a moment only.
      const wasOfUse = this.calls.succeeded > this.#succeededBefore;
      this.#quickFailures = this.#pauseLeftMs() > 0 && !wasOfUse ? this.#quickFailures + 1 : 0;
    }
    // The second in a row: reconnecting at once for ever would trouble a server that is in trouble.
    if (isQuiet && this.#quickFailures > 1) {
      this.#failedAttempts = this.#quickFailures - 1;
      this.#pause();
    }
    this.closedWhileActive = closedWhileActive && isQuiet;
    this.#removeLink(link, error);
  }

  onConnectionClosed(link: SubchannelConnection): void {
    this.#open.delete(link);
  }

  #dropExhausted(link: SubchannelConnection): void {
    this.#removeLink(link, new Error("the connection has used up its stream identifiers"));
  }

  #removeLink(link: SubchannelConnection, error: Error): void {
    this.#setLinks(this.#links.filter((other) => other !== link));
    this.#lastError = error;
    link.connection?.drain();
    // Calls that wait may now have another connection made for them.
    if (this.#links.length > 0) this.#offerPlaces();
    else this.#enterCurrentState();
  }

  #beginAttempt(): void {
    const { clock, backoff, connect, connectTimeoutMs } = this.#options;
    // The pause counts from the start of the attempt, so one that failed slowly has waited already.
    const delayMs = backoff(Math.max(this.#failedAttempts, this.#quickFailures - 1, 0));
    this.#nextAttemptAtMs = clock.nowMs() + delayMs;
    this.closedWhileActive = false;
    const link = new SubchannelConnection(this);
    this.#attempt = link;
    const timeoutMs = Math.max(connectTimeoutMs ?? minConnectTimeoutMs, delayMs);
    // A promise of its own, so that a `connect` that throws at once fails the attempt like one that rejects.
    new Promise<ClientConnection>((resolve) => {
      resolve(connect(this.address, link, { connectTimeoutMs: timeoutMs, signal: link.giveUp.signal }));
    }).then(
      (connection) => this.#onConnected(link, connection),
      (error) => this.#onFailed(link, error instanceof Error ? error : new Error(String(error))),
    );
    this.#enterCurrentState();
  }

  #onConnected(link: SubchannelConnection, connection: ClientConnection): void {
    if (link !== this.#attempt) {
      connection.close();
      return;
    }
    if (link.lostEarly !== undefined || !connection.isAcceptingCalls) {
      // No call ever had a chance on it: as a success it would be repeated at once and for ever.
      connection.close();
      this.#onFailed(link, link.lostEarly ?? new Error("the connection took no calls from the start"));
      return;
    }
    this.#attempt = undefined;
    link.connection = connection;
    this.#open.add(link);
    if (this.#links.length === 0) this.#succeededBefore = this.calls.succeeded;
    this.#setLinks([...this.#links, link]);
    this.#lastError = undefined;
    this.#failedAttempts = 0;
    if (this.#state === "ready") this.#offerPlaces();
    else this.#enterCurrentState();
  }

  #onFailed(link: SubchannelConnection, error: Error): void {
    if (link !== this.#attempt) return;
    this.#attempt = undefined;
    this.#lastError = error;
    this.#failedAttempts += 1;
    this.#pause();
    this.#enterCurrentState();
  }

  #pause(): void {
    this.#cancelBackoff = this.#options.clock.after(this.#pauseLeftMs(), () => {
      this.#cancelBackoff = undefined;
      // In `ready` it was a further connection that failed: calls that still wait for it may request another.
      if (this.#state === "ready") this.#offerPlaces();
      else this.#enterCurrentState();
    });
  }

  /** To the channel's own streams first: they are few, and full connections would otherwise leave them waiting for ever. */
  #offerPlaces(): void {
    if (this.#connectionListeners.size > 0) for (const listener of [...this.#connectionListeners]) listener();
    this.#options.onCapacity?.();
  }

  #pauseLeftMs(): number {
    return Math.max(0, this.#nextAttemptAtMs - this.#options.clock.nowMs());
  }

  #setLinks(links: readonly SubchannelConnection[]): void {
    this.#links = links;
    this.#first = links[0]?.connection;
  }

  /** gRFC A105, "Backoff Behavior and Connectivity State": the first that fits. */
  #currentState(): ConnectivityState {
    if (this.#state === "shutdown") return "shutdown";
    if (this.#links.length > 0) return "ready";
    if (this.#attempt !== undefined) return "connecting";
    return this.#cancelBackoff === undefined ? "idle" : "transient_failure";
  }

  /** The last step of every transition, because the listener may begin the next one. */
  #enterCurrentState(): void {
    const state = this.#currentState();
    if (state === this.#state) return;
    this.#state = state;
    this.#onState(state);
  }
}
