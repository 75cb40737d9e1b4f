import type { Clock } from "../../call/clock.ts";
import type { Address, ClientConnection, ClientConnectionEvents, Connect } from "../../transport/client-connection.ts";
import type { Backoff } from "../backoff.ts";
import type { ConnectivityState } from "../connectivity.ts";
import type { Subchannel, SubchannelStateListener } from "./index.ts";

export interface SubchannelOptions {
  readonly connect: Connect;
  readonly clock: Clock;
  readonly backoff: Backoff;
  /** Least time an attempt may take; a longer backoff extends it (gRPC's connection backoff protocol). Default 20,000 ms. */
  readonly connectTimeoutMs?: number;
  /** `connection.canStartCall` may have become true without a change of state. */
  readonly onCapacity?: () => void;
}

const minConnectTimeoutMs = 20_000;

/** Longest part of a peer's GOAWAY text that an error message repeats. */
const maxDebugLength = 200;

/** Makes a subchannel in `idle`. */
export function createSubchannel(
  address: Address,
  options: SubchannelOptions,
  onState: SubchannelStateListener,
): Subchannel {
  return new ConnectingSubchannel(address, options, onState);
}

class ConnectingSubchannel implements Subchannel {
  readonly address: Address;
  readonly #options: SubchannelOptions;
  readonly #onState: SubchannelStateListener;
  #state: ConnectivityState = "idle";
  #connection: ClientConnection | undefined;
  /** The attempt under way or the connection it led to. Events of any other link are old news. */
  #link: Link | undefined;
  #lastError: Error | undefined;
  #failedAttempts = 0;
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
    return this.#connection;
  }

  get lastError(): Error | undefined {
    return this.#lastError;
  }

  get failedAttempts(): number {
    return this.#failedAttempts;
  }

  get nextAttemptInMs(): number {
    if (this.#state !== "transient_failure") return 0;
    return Math.max(0, this.#nextAttemptAtMs - this.#options.clock.nowMs());
  }

  connect(): void {
    if (this.#state !== "idle") return;
    const { clock, backoff, connect, connectTimeoutMs } = this.#options;
    // The pause counts from the start of the attempt, so one that failed slowly has waited already.
    const delayMs = backoff(this.#failedAttempts);
    this.#nextAttemptAtMs = clock.nowMs() + delayMs;
    const link = new Link(this);
    this.#link = link;
    const timeoutMs = Math.max(connectTimeoutMs ?? minConnectTimeoutMs, delayMs);
    // A promise of its own, so that a `connect` that throws at once fails the attempt like one that rejects.
    new Promise<ClientConnection>((resolve) => {
      resolve(connect(this.address, link, { connectTimeoutMs: timeoutMs, signal: link.giveUp.signal }));
    }).then(
      (connection) => this.#onConnected(link, connection),
      (error) => this.#onFailed(link, error instanceof Error ? error : new Error(String(error))),
    );
    this.#enter("connecting");
  }

  shutdown(): void {
    if (this.#state === "shutdown") return;
    const [link, connection] = [this.#link, this.#connection];
    this.#link = undefined;
    this.#connection = undefined;
    this.#cancelBackoff?.();
    this.#cancelBackoff = undefined;
    this.#state = "shutdown";
    if (connection !== undefined) connection.drain();
    else link?.giveUp.abort();
  }

  dropSpentConnection(): void {
    if (this.#connection !== undefined && !this.#connection.isAcceptingCalls) {
      this.#loseConnection(new Error("the connection has used up its stream identifiers"));
    }
  }

  /** Called by its links only. */
  onLinkCapacity(link: Link): void {
    if (link !== this.#link || this.#connection === undefined) return;
    if (this.#connection.isAcceptingCalls) this.#options.onCapacity?.();
    else this.dropSpentConnection();
  }

  /** Called by its links only: the link takes no new calls any more. */
  onLinkLost(link: Link, error: Error): void {
    if (link !== this.#link) return;
    // The server may say goodbye before the promise of the connection has told us of it.
    if (this.#connection === undefined) link.lostEarly = error;
    else this.#loseConnection(error);
  }

  #onConnected(link: Link, connection: ClientConnection): void {
    if (link !== this.#link) {
      connection.close();
      return;
    }
    if (link.lostEarly !== undefined || !connection.isAcceptingCalls) {
      // No call ever had a chance on it: as a success it would be repeated at once and for ever.
      connection.close();
      this.#onFailed(link, link.lostEarly ?? new Error("the connection took no calls from the start"));
      return;
    }
    this.#connection = connection;
    this.#lastError = undefined;
    this.#failedAttempts = 0;
    this.#enter("ready");
  }

  #onFailed(link: Link, error: Error): void {
    if (link !== this.#link) return;
    this.#link = undefined;
    this.#lastError = error;
    this.#failedAttempts += 1;
    const delayMs = Math.max(0, this.#nextAttemptAtMs - this.#options.clock.nowMs());
    this.#cancelBackoff = this.#options.clock.after(delayMs, () => {
      this.#cancelBackoff = undefined;
      this.#enter("idle");
    });
    this.#enter("transient_failure");
  }

  #loseConnection(error: Error): void {
    const connection = this.#connection;
    this.#link = undefined;
    this.#connection = undefined;
    this.#lastError = error;
    connection?.drain();
    this.#enter("idle");
  }

  /** The last step of every transition, because the listener may begin the next one. */
  #enter(state: ConnectivityState): void {
    this.#state = state;
    this.#onState(state);
  }
}

/** Hears one attempt and its connection, and tells the subchannel which of them speaks. */
class Link implements ClientConnectionEvents {
  readonly giveUp = new AbortController();
  lostEarly: Error | undefined;
  readonly #subchannel: ConnectingSubchannel;

  constructor(subchannel: ConnectingSubchannel) {
    this.#subchannel = subchannel;
  }

  onCapacity(): void {
    this.#subchannel.onLinkCapacity(this);
  }

  onGoaway(info: { readonly code: number; readonly debug: string }): void {
    // Quoted and cut: the text is the peer's.
    const debug = info.debug === "" ? "" : ` ${JSON.stringify(info.debug.slice(0, maxDebugLength))}`;
    this.#subchannel.onLinkLost(this, new Error(`the server sent GOAWAY with error code ${info.code}${debug}`));
  }

  onClose(error: Error | undefined): void {
    this.#subchannel.onLinkLost(this, error ?? new Error("the connection was closed"));
  }
}
