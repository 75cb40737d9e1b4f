import type { Socket } from "node:net";
import type { Clock } from "../connection/clock.ts";

/**
 * Lets only so many TLS handshakes run at once: each costs milliseconds of CPU and some hundred KiB. The others wait for
 * their turn, in order and without TLS; who has not got it in time is let go.
 */
export class HandshakeQueue {
  private readonly maxRunning: number;
  private readonly timeoutMs: number;
  private readonly clock: Clock;
  private readonly begin: (socket: Socket) => void;
  private readonly waiting = new Map<Socket, () => void>();
  /** Handshakes that have begun and are not over. */
  running = 0;

  constructor(maxRunning: number, timeoutMs: number, clock: Clock, begin: (socket: Socket) => void) {
    this.maxRunning = maxRunning;
    this.timeoutMs = timeoutMs;
    this.clock = clock;
    this.begin = begin;
  }

  /** False: the socket has to wait. */
  add(socket: Socket): boolean {
    if (this.running < this.maxRunning) {
      this.running++;
      this.begin(socket);
      return true;
    }
    const onClose = (): void => this.forget(socket);
    const cancel = this.clock.after(this.timeoutMs, () => socket.destroy());
    this.waiting.set(socket, () => {
      cancel();
      socket.off("close", onClose);
    });
    socket.once("close", onClose);
    return false;
  }

  /** A handshake is over, well or not. */
  ended(): void {
    this.running--;
    for (const socket of this.waiting.keys()) {
      this.forget(socket);
      if (socket.destroyed) continue;
      this.running++;
      this.begin(socket);
      return;
    }
  }

  /** Nobody else gets a turn. */
  close(): void {
    for (const socket of this.waiting.keys()) socket.destroy();
  }

  private forget(socket: Socket): void {
    this.waiting.get(socket)?.();
    this.waiting.delete(socket);
  }
}
