import { promisesSettled } from "../../time/fake-clock.ts";
import type {
  Address,
  ClientConnection,
  ClientConnectionEvents,
  Connect,
  ConnectAttempt,
} from "../../transport/client/client-connection.ts";
import { formatAddress } from "../naming/address-text.ts";

/** A connection that a test drives from the server's side. */
export class ScriptedConnection implements ClientConnection {
  maxCalls = 100;
  openCalls = 0;
  isAcceptingCalls = true;
  isClosed = false;
  isDraining = false;
  readonly #events: ClientConnectionEvents;

  constructor(events: ClientConnectionEvents) {
    this.#events = events;
  }

  get canStartCall(): boolean {
    return this.isAcceptingCalls && this.openCalls < this.maxCalls;
  }

  start(): void {
    this.startCall();
  }

  startCall(): void {
    if (!this.canStartCall) throw new Error("concurrent call limit reached");
    this.openCalls += 1;
  }

  endCall(): void {
    this.openCalls -= 1;
    this.#events.onCapacity();
    if (this.isDraining && this.openCalls === 0) this.lose(undefined);
  }

  /** The server allows this many calls from now on. */
  allow(maxCalls: number): void {
    this.maxCalls = maxCalls;
    this.#events.onCapacity();
  }

  goaway(code = 0, debug = ""): void {
    this.isAcceptingCalls = false;
    this.#events.onGoaway({ code, debug });
  }

  lose(error: Error | undefined): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.isAcceptingCalls = false;
    this.#events.onClose(error);
  }

  drain(): void {
    this.isAcceptingCalls = false;
    this.isDraining = true;
    if (this.openCalls === 0) this.lose(undefined);
  }

  close(): void {
    this.openCalls = 0;
    this.lose(undefined);
  }
}

/** One attempt to connect that the test has to answer. */
export class ScriptedAttempt {
  readonly address: string;
  readonly options: ConnectAttempt;
  readonly events: ClientConnectionEvents;
  readonly #resolve: (connection: ClientConnection) => void;
  readonly #reject: (error: Error) => void;

  constructor(
    address: Address,
    events: ClientConnectionEvents,
    options: ConnectAttempt,
    resolve: (connection: ClientConnection) => void,
    reject: (error: Error) => void,
  ) {
    this.address = formatAddress(address);
    this.events = events;
    this.options = options;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** The server's SETTINGS have come; the channel does not know yet. */
  succeedUnheard(maxCalls = 100): ScriptedConnection {
    const connection = new ScriptedConnection(this.events);
    connection.maxCalls = maxCalls;
    this.#resolve(connection);
    return connection;
  }

  async succeed(maxCalls = 100): Promise<ScriptedConnection> {
    const connection = this.succeedUnheard(maxCalls);
    await promisesSettled();
    return connection;
  }

  async fail(message: string): Promise<void> {
    this.#reject(new Error(message));
    await promisesSettled();
  }
}

/** Stands in for the network: keeps every attempt, oldest first, for the test to answer. */
export function scriptConnect(): { readonly connect: Connect; readonly attempts: ScriptedAttempt[] } {
  const attempts: ScriptedAttempt[] = [];
  return {
    attempts,
    connect: (address, events, options) =>
      new Promise((resolve, reject) => {
        attempts.push(new ScriptedAttempt(address, events, options, resolve, reject));
      }),
  };
}
