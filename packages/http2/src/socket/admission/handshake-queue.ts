import type { Socket } from "node:net";
import type { Clock } from "../../connection/time/clock.ts";
import { hasFirstRecord, maxFirstRecordBytes } from "./first-record.ts";
import { SocketsByNetwork } from "./sockets-by-network.ts";

/** How often handshakes that run are looked at while others wait … */
const tickMs = 100;
/**
 * … and for how many ticks one may run by then before it gives way. Half a second is two round trips of a slow link; counted in ticks,
 * because time in which this process did not get to read is not the peer's fault.
 */
const ticksBeforeGivingWay = 5;
/** The same where more sockets of the network wait than have a slot: a flood, in which its clients on slow links would hardly get a turn. */
const ticksInFlood = 2;

/** Up to here the sockets of a network begin in order. Beyond, the older ones may be what fills the queue. */
const orderedMs = 250;
/** A client that has waited for so long has probably given up. */
const patienceMs = 1000;

/**
 * Handshakes that begin in one turn of the event loop. Reading a ClientHello and signing the response takes up to a millisecond, and
 * hundreds may become ready at once, by one poll or when those before them give way.
 */
const maxBegunPerTurn = 8;

export interface HandshakeQueueOptions {
  /** Handshakes at once. */
  readonly maxRunning: number;
  /** From the connection until the handshake begins. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Sockets that may have to make room for others: here, those whose handshake has not begun. */
  readonly newcomers: SocketsByNetwork;
  /** The socket's first bytes can be read again. */
  begin(socket: Socket): void;
  onWait(socket: Socket): void;
  /** The socket's handshake took too long while others waited; it is destroyed next. */
  onEvict(socket: Socket): void;
}

/** A socket before its handshake. */
interface Arrival {
  readonly network: string;
  head: Uint8Array | undefined;
  /** When the first record was complete. */
  readyAtMs: number;
  stop(): void;
}

interface Running {
  readonly network: string;
  readonly ends: string;
  readonly sinceTick: number;
  readonly onClose: () => void;
}

/**
 * Limits how many TLS handshakes run at once: each costs milliseconds of CPU and some hundred KiB. A socket takes a slot when its first
 * record is complete, so that one that sends nothing, or a part, takes none. A network takes a slot only while more are free than it has:
 * one can have half of them, and however many attack, there is one left for the next. Others wait for their turn, the networks with the
 * fewest handshakes first. While others wait, a handshake that takes too long is given up.
 */
export class HandshakeQueue {
  readonly #options: HandshakeQueueOptions;
  readonly #arrivals = new Map<Socket, Arrival>();
  readonly #waiting = new SocketsByNetwork();
  readonly #running = new Map<Socket, Running>();
  /** The socket that TLS reports is another than the one that it was given; they have their two ends in common. */
  readonly #runningByEnds = new Map<string, Socket>();
  readonly #runningSockets = new SocketsByNetwork();
  #begunThisTurn = 0;
  #isNewestNext = false;
  #tick = 0;
  #cancelTick: (() => void) | undefined = undefined;

  constructor(options: HandshakeQueueOptions) {
    this.#options = options;
  }

  /** Handshakes that have begun and not ended. */
  get running(): number {
    return this.#running.size;
  }

  add(socket: Socket, network: string): void {
    const { clock, timeoutMs, newcomers } = this.#options;
    const onData = (chunk: Uint8Array): void => this.#received(socket, arrival, chunk);
    const onClose = (): void => this.#forget(socket, arrival);
    const cancel = clock.after(timeoutMs, () => socket.destroy());
    const arrival: Arrival = {
      network,
      head: undefined,
      readyAtMs: Number.NaN,
      stop() {
        cancel();
        socket.off("data", onData);
        socket.off("close", onClose);
      },
    };
    this.#arrivals.set(socket, arrival);
    newcomers.add(network, socket);
    socket.on("data", onData);
    socket.on("close", onClose);
  }

  /** A handshake has succeeded; one that fails ends with its socket. */
  ended(socket: Socket): void {
    const ends = endsOf(socket);
    const begun = ends === undefined ? undefined : this.#runningByEnds.get(ends);
    if (begun !== undefined) this.#end(begun);
  }

  /** No other handshake begins, and those that run are given up. */
  close(): void {
    for (const socket of this.#arrivals.keys()) socket.destroy();
    for (const socket of this.#running.keys()) socket.destroy();
  }

  #received(socket: Socket, arrival: Arrival, chunk: Uint8Array): void {
    arrival.head = arrival.head === undefined ? chunk : Buffer.concat([arrival.head, chunk]);
    if (arrival.head.length > maxFirstRecordBytes) {
      socket.destroy();
    } else if (Number.isNaN(arrival.readyAtMs) && hasFirstRecord(arrival.head)) {
      arrival.readyAtMs = this.#options.clock.nowMs();
      if (!this.#hasSlotFor(arrival.network)) this.#wait(socket, arrival);
      else if (this.#isTurnSpent()) this.#waiting.add(arrival.network, socket);
      else this.#begin(socket, arrival);
    }
  }

  #wait(socket: Socket, arrival: Arrival): void {
    const { newcomers, clock, onWait } = this.#options;
    // Those that have sent nothing make room first.
    newcomers.add(arrival.network, socket);
    this.#waiting.add(arrival.network, socket);
    this.#cancelTick ??= clock.after(tickMs, this.#onTick);
    onWait(socket);
  }

  #isTurnSpent(): boolean {
    return this.#begunThisTurn >= maxBegunPerTurn;
  }

  readonly #onNextTurn = (): void => {
    this.#begunThisTurn = 0;
    this.#beginWaiting();
  };

  #hasSlotFor(network: string): boolean {
    return this.#runningSockets.countOf(network) < this.#options.maxRunning - this.#running.size;
  }

  #begin(socket: Socket, arrival: Arrival): void {
    this.#forget(socket, arrival);
    const ends = endsOf(socket);
    // It is gone, and its "close" is about to come.
    if (ends === undefined || socket.destroyed) return;
    const { network } = arrival;
    const onClose = (): void => this.#end(socket);
    this.#running.set(socket, { network, ends, sinceTick: this.#tick, onClose });
    this.#runningByEnds.set(ends, socket);
    this.#runningSockets.add(network, socket);
    socket.on("close", onClose);
    socket.pause();
    socket.unshift(arrival.head);
    if (this.#begunThisTurn++ === 0) setImmediate(this.#onNextTurn);
    this.#options.begin(socket);
  }

  #end(socket: Socket): void {
    const running = this.#running.get(socket);
    if (running === undefined) return;
    socket.off("close", running.onClose);
    this.#running.delete(socket);
    this.#runningByEnds.delete(running.ends);
    this.#runningSockets.delete(running.network, socket);
    this.#beginWaiting();
  }

  #beginWaiting(): void {
    while (!this.#isTurnSpent()) {
      const network = this.#nextNetwork();
      if (network === undefined) return;
      const socket = this.#nextOf(network);
      this.#begin(socket, this.#arrivals.get(socket) as Arrival);
    }
  }

  /** The waiting network with the fewest handshakes that may have one more. */
  #nextNetwork(): string | undefined {
    let next: string | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (const network of this.#waiting.networks()) {
      const count = this.#runningSockets.countOf(network);
      if (count < fewest && this.#hasSlotFor(network)) {
        next = network;
        fewest = count;
      }
      // Most of a crowd has none.
      if (fewest === 0) break;
    }
    return next;
  }

  /**
   * Once they wait for long, the newest and the one that has waited longest within `patienceMs` in turn. The first finds a client that has
   * just come; the second one prefers peers that came earlier to those whose handshake was given up and that reconnect at once.
   */
  #nextOf(network: string): Socket {
    const oldest = this.#waiting.oldestOf(network) as Socket;
    if (this.#waitedMs(oldest) <= orderedMs) return oldest;
    this.#isNewestNext = !this.#isNewestNext;
    let next = oldest;
    for (const socket of this.#waiting.ofNetwork(network)) {
      next = socket;
      if (!this.#isNewestNext && this.#waitedMs(socket) <= patienceMs) break;
    }
    return next;
  }

  #waitedMs(socket: Socket): number {
    return this.#options.clock.nowMs() - (this.#arrivals.get(socket) as Arrival).readyAtMs;
  }

  readonly #onTick = (): void => {
    this.#cancelTick = undefined;
    this.#tick++;
    this.#evict();
    if (this.#waiting.size > 0) this.#cancelTick = this.#options.clock.after(tickMs, this.#onTick);
  };

  /** As many handshakes as sockets wait for, the oldest of the network that has the most. */
  #evict(): void {
    for (let wanted = this.#waiting.size; wanted > 0; wanted--) {
      const network = this.#runningSockets.busiest;
      if (network === undefined) return;
      const socket = this.#runningSockets.oldestOf(network) as Socket;
      const { sinceTick } = this.#running.get(socket) as Running;
      const isFlood = this.#waiting.countOf(network) > this.#runningSockets.countOf(network);
      if (this.#tick - sinceTick < (isFlood ? ticksInFlood : ticksBeforeGivingWay)) return;
      this.#options.onEvict(socket);
      socket.destroy();
      this.#end(socket);
    }
  }

  /** The socket does not wait any more. */
  #forget(socket: Socket, arrival: Arrival): void {
    arrival.stop();
    this.#arrivals.delete(socket);
    this.#options.newcomers.delete(arrival.network, socket);
    this.#waiting.delete(arrival.network, socket);
    if (this.#waiting.size > 0) return;
    this.#cancelTick?.();
    this.#cancelTick = undefined;
  }
}

/** What no other open socket of the listener has; undefined when the socket is gone. */
function endsOf(socket: Socket): string | undefined {
  const { remoteAddress, remotePort, localAddress } = socket;
  return remoteAddress === undefined ? undefined : `${remoteAddress} ${remotePort} ${localAddress}`;
}
