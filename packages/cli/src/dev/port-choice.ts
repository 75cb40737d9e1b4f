import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { canConnect } from "./process/can-connect.ts";

/** An address to listen on; without a host, every interface. */
export interface Place {
  readonly host?: string;
  readonly port: number;
}

/** Tests which ports of this machine are in use. */
export interface PortTable {
  /** Whether a program could listen there now. */
  canListen(place: Place): Promise<boolean>;
  /** Whether a program listens there. A port that cannot be listened on may also belong to an outgoing connection. */
  isServed(place: Place): Promise<boolean>;
}

/** Number of ports to try after the wanted one. */
const maxTries = 500;
const highestPort = 65_535;
/** Limit on waiting for an outgoing connection to release the wanted port. */
const maxOutgoingMs = 2000;
const pollMs = 50;

/**
 * Chooses free ports: the wanted one, or the next free one. An owner keeps its port across restarts as long as it wants the same one. Waits
 * briefly for a wanted port that belongs to an outgoing connection, as any port from 32768 on may on Linux.
 */
export class PortChoice {
  readonly #chosen = new Map<string, { readonly wanted: number; readonly port: number }>();
  readonly #table: PortTable;
  readonly #maxOutgoingMs: number;

  constructor(table: PortTable = systemPorts, options: { readonly maxOutgoingMs?: number } = {}) {
    this.#table = table;
    this.#maxOutgoingMs = options.maxOutgoingMs ?? maxOutgoingMs;
  }

  /** Returns a free port. @param owner service and purpose: `user-service grpc` */
  async choose(owner: string, wanted: Place): Promise<number> {
    const known = this.#chosen.get(owner);
    if (known?.wanted === wanted.port) return known.port;
    this.#chosen.delete(owner);
    const port = wanted.port === 0 ? await anyFreePort(wanted.host) : await this.#firstFree(wanted);
    this.#chosen.set(owner, { wanted: wanted.port, port });
    return port;
  }

  /** Whether a service here has the port. */
  isGiven(port: number): boolean {
    return [...this.#chosen.values()].some((chosen) => chosen.port === port);
  }

  /** Forgets an owner's ports that other programs now use, so that new ones are chosen. */
  async forgetTaken(owner: string, host: string | undefined): Promise<void> {
    const known = this.#chosen.get(owner);
    if (known === undefined || (await this.#table.canListen(placeOf(host, known.port)))) return;
    this.#chosen.delete(owner);
  }

  async #firstFree({ host, port: wanted }: Place): Promise<number> {
    if (!this.isGiven(wanted)) await this.#waitForOutgoing(placeOf(host, wanted));
    for (let port = wanted; port < wanted + maxTries && port <= highestPort; port++) {
      if (!this.isGiven(port) && (await this.#table.canListen(placeOf(host, port)))) return port;
    }
    // The service itself reports best why the wanted port cannot be used.
    return wanted;
  }

  async #waitForOutgoing(place: Place): Promise<void> {
    const untilMs = performance.now() + this.#maxOutgoingMs;
    while (performance.now() < untilMs) {
      if ((await this.#table.canListen(place)) || (await this.#table.isServed(place))) return;
      await pause(pollMs);
    }
  }
}

function placeOf(host: string | undefined, port: number): Place {
  return { ...(host !== undefined && { host }), port };
}

const systemPorts: PortTable = { canListen: canListenAt, isServed: canConnect };

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

/** Returns a port that was free a moment ago. */
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
