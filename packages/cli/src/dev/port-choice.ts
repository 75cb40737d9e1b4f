import { createServer } from "node:net";

/** Somewhere to listen: without a host, on every interface. */
export interface Place {
  readonly host?: string;
  readonly port: number;
}

/** Ports that are tried after the wanted one. */
const maxTries = 500;
const highestPort = 65_535;

/**
 * Gives out ports that no one listens on: the wanted one, or the next one that is free. Whoever was given a port keeps it over restarts, as
 * long as the wish stays the same.
 */
export class PortChoice {
  readonly #chosen = new Map<string, { readonly wanted: number; readonly port: number }>();
  readonly #canListen: (place: Place) => Promise<boolean>;

  constructor(canListen: (place: Place) => Promise<boolean> = canListenAt) {
    this.#canListen = canListen;
  }

  /** @param owner who asks, and what for: `user-service grpc` */
  async choose(owner: string, wanted: Place): Promise<number> {
    const known = this.#chosen.get(owner);
    if (known?.wanted === wanted.port) return known.port;
    this.#chosen.delete(owner);
    const port = wanted.port === 0 ? await anyFreePort(wanted.host) : await this.#firstFree(wanted);
    this.#chosen.set(owner, { wanted: wanted.port, port });
    return port;
  }

  /** Forgets ports that someone else listens on meanwhile, so that others are chosen. */
  async forgetTaken(owner: string, host: string | undefined): Promise<void> {
    const known = this.#chosen.get(owner);
    if (known === undefined || (await this.#canListen({ ...(host !== undefined && { host }), port: known.port })))
      return;
    this.#chosen.delete(owner);
  }

  async #firstFree({ host, port: wanted }: Place): Promise<number> {
    const given = new Set([...this.#chosen.values()].map(({ port }) => port));
    for (let port = wanted; port < wanted + maxTries && port <= highestPort; port++) {
      if (!given.has(port) && (await this.#canListen({ ...(host !== undefined && { host }), port }))) return port;
    }
    // The service itself says best what is wrong with the wanted one.
    return wanted;
  }
}

/** Whether a program could listen there now. */
export function canListenAt({ host, port }: Place): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "EADDRINUSE"));
    server.listen({ ...(host !== undefined && { host }), port, exclusive: true }, () =>
      server.close(() => resolve(true)),
    );
  });
}

/** A port that was free a moment ago. */
export function anyFreePort(host = "127.0.0.1"): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ host, port: 0 }, () => {
      const { port } = server.address() as { readonly port: number };
      server.close(() => resolve(port));
    });
  });
}
