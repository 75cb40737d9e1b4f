import type { Socket } from "node:net";

/** Sockets by the network that they come from, each network's oldest first. Every operation takes the same time, however many there are. */
export class SocketsByNetwork {
  readonly #sockets = new Map<string, Set<Socket>>();
  /** The networks with this number of sockets. */
  readonly #networks = new Map<number, Set<string>>();
  #most = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds a socket as the newest of its network, also when it is there already. */
  add(network: string, socket: Socket): void {
    let sockets = this.#sockets.get(network);
    if (sockets === undefined) {
      sockets = new Set();
      this.#sockets.set(network, sockets);
    }
    if (sockets.delete(socket)) {
      sockets.add(socket);
      return;
    }
    sockets.add(socket);
    this.#size++;
    this.#moved(network, sockets.size - 1, sockets.size);
    if (sockets.size > this.#most) this.#most = sockets.size;
  }

  delete(network: string, socket: Socket): void {
    const sockets = this.#sockets.get(network);
    if (sockets?.delete(socket) !== true) return;
    this.#size--;
    if (sockets.size === 0) this.#sockets.delete(network);
    this.#moved(network, sockets.size + 1, sockets.size);
    if (!this.#networks.has(this.#most)) this.#most--;
  }

  countOf(network: string): number {
    return this.#sockets.get(network)?.size ?? 0;
  }

  /** The network with the most sockets; among several, the one that has had as many for the longest. */
  get busiest(): string | undefined {
    return this.#networks.get(this.#most)?.values().next().value;
  }

  networks(): Iterable<string> {
    return this.#sockets.keys();
  }

  oldestOf(network: string): Socket | undefined {
    return this.#sockets.get(network)?.values().next().value;
  }

  *ofNetwork(network: string): Iterable<Socket> {
    yield* this.#sockets.get(network) ?? [];
  }

  *all(): Iterable<Socket> {
    for (const sockets of this.#sockets.values()) yield* sockets;
  }

  #moved(network: string, from: number, to: number): void {
    if (from > 0) {
      const before = this.#networks.get(from) as Set<string>;
      before.delete(network);
      if (before.size === 0) this.#networks.delete(from);
    }
    if (to === 0) return;
    const after = this.#networks.get(to);
    if (after === undefined) this.#networks.set(to, new Set([network]));
    else after.add(network);
  }
}
