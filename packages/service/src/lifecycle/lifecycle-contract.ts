import type { ListenAddress, ListenAddressFor, ListenOptions, Server } from "@tercel/grpc";

/** What a server's life asks of its health service: `createHealth` makes one. */
export interface ServedHealth {
  start(): Promise<void>;
  shutdown(): void;
  endWatches(): void;
  setStatus(service: string, status: "SERVING" | "NOT_SERVING"): void;
  /** Tells the status of a service now and whenever it changes. What is returned ends that. */
  follow(service: string, listener: (status: string | undefined) => void): () => void;
}

/** What a server takes along through its life. */
export interface ServeOptions {
  /** Its checks begin before the server listens, and everything is NOT_SERVING from the first moment of the stop. */
  readonly health?: ServedHealth;
  /** Makes the server known once it listens, at a registry for example. What it returns undoes that, before the drain. */
  readonly register?: (address: ListenAddress) => Promise<(() => unknown) | undefined>;
  /** Called at the stop when it is deregistered and before it drains: takes no further work from elsewhere, such as subscriptions. */
  readonly pauseWork?: () => unknown;
}

/** Handed to the setup, which starts what the program consists of, in order. */
export interface Lifecycle {
  /**
   * Starts something and remembers how to stop it. Rejects with what `start` threw; what was started before is then stopped.
   * Once a stop was asked for, nothing more is started.
   */
  start<Resource>(
    name: string,
    start: () => Resource | Promise<Resource>,
    stop?: (resource: Resource) => unknown,
  ): Promise<Resource>;
  /** Starts a server last of all that its handlers need: it is the first to stop. */
  serve<Options extends ListenOptions>(
    server: Server,
    where: Options,
    options?: ServeOptions,
  ): Promise<ListenAddressFor<Options>>;
  /** Asks for a stop, as a signal does. */
  stop(reason: string): void;
  /** Aborts when a stop begins: for loops that run next to the server. */
  readonly signal: AbortSignal;
}

export interface LifecycleOutcome {
  /** What asked for the stop: a signal's name, or the reason that was given. */
  readonly reason: string;
  /** Whether a second signal cut the waiting short. */
  readonly forced: boolean;
  /** What failed on the way down, in order. */
  readonly problems: readonly Error[];
  /** For `process.exit`: 0 after a stop without problems and force, otherwise 1. */
  readonly exitCode: 0 | 1;
}
