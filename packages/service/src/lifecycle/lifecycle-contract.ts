import type { ListenAddress, ListenAddressFor, ListenOptions, Server } from "@tercel/grpc";

/** The health service of a lifecycle; `createHealth` creates one. */
export interface ServedHealth {
  start(): Promise<void>;
  shutdown(): void;
  endWatches(): void;
  setStatus(service: string, status: "SERVING" | "NOT_SERVING"): void;
  /** Calls the listener with the status of a service, now and on each change. Returns a function that unsubscribes it. */
  follow(service: string, listener: (status: string | undefined) => void): () => void;
}

/** Options of a served server. */
export interface ServeOptions {
  /** Health service: its checks start before the server listens, and all services are NOT_SERVING from the beginning of a stop. */
  readonly health?: ServedHealth;
  /** Registers the server once it listens, for example at a registry. Returns a function that deregisters it, which is called before the drain. */
  readonly register?: (address: ListenAddress) => Promise<(() => unknown) | undefined>;
  /** Called at a stop, between deregistration and drain: pauses other work, such as subscriptions. */
  readonly pauseWork?: () => unknown;
}

/** The lifecycle that the setup receives to start the parts of a program, in order. */
export interface Lifecycle {
  /**
   * Starts a part and registers how to stop it. Rejects with the error of `start`; then the parts started before are stopped. Nothing is started after a
   * stop was requested.
   */
  start<Resource>(
    name: string,
    start: () => Resource | Promise<Resource>,
    stop?: (resource: Resource) => unknown,
  ): Promise<Resource>;
  /** Starts a server, after everything that its handlers need: it is the first to stop. */
  serve<Options extends ListenOptions>(
    server: Server,
    where: Options,
    options?: ServeOptions,
  ): Promise<ListenAddressFor<Options>>;
  /** Requests a stop, as a signal does. */
  stop(reason: string): void;
  /** Aborted when a stop begins, for loops that run next to the server. */
  readonly signal: AbortSignal;
}

export interface LifecycleOutcome {
  /** Reason of the stop: a signal's name, or the given reason. */
  readonly reason: string;
  /** Whether a second signal forced the stop. */
  readonly forced: boolean;
  /** Problems during the stop, in order. */
  readonly problems: readonly Error[];
  /** Exit code: 0 after a clean stop, 1 after problems or a forced stop. */
  readonly exitCode: 0 | 1;
}
