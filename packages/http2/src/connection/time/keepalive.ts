/** When to ping a silent peer. */
export interface Keepalive {
  /** Silence after which a PING is sent. */
  timeMs: number;
  /** How long the acknowledgement may take before the connection counts as dead. Default 20 s. */
  timeoutMs?: number;
  /**
   * Also while no stream is open. Default false: it would keep idle machines awake. The first stream after a silence of `timeMs`
   * then sends the PING at once: calls that are short would never be open when the time has come.
   */
  permitWithoutStreams?: boolean;
}

const defaultTimeoutMs = 20_000;

/** Counts silence. Any byte received is a sign of life. */
export class KeepaliveTimer {
  private readonly options: Keepalive;
  private receivedSinceTick = false;
  private quietSinceMs: number;
  private pingedAtMs: number | undefined = undefined;
  /** The peer was silent for the time, and only the lack of streams has kept back a ping. */
  isDormant = false;

  constructor(options: Keepalive, nowMs: number) {
    this.options = options;
    this.quietSinceMs = nowMs;
  }

  /** Bytes were received. */
  onBytes(): void {
    this.receivedSinceTick = true;
  }

  answered(): void {
    this.pingedAtMs = undefined;
  }

  step(nowMs: number, hasStreams: boolean): "ping" | "dead" | "wait" {
    this.isDormant = false;
    if (this.receivedSinceTick) {
      this.receivedSinceTick = false;
      this.quietSinceMs = nowMs;
      this.pingedAtMs = undefined;
      return "wait";
    }
    if (this.pingedAtMs !== undefined) {
      return nowMs - this.pingedAtMs >= (this.options.timeoutMs ?? defaultTimeoutMs) ? "dead" : "wait";
    }
    if (nowMs - this.quietSinceMs < this.options.timeMs) return "wait";
    if (!hasStreams && this.options.permitWithoutStreams !== true) {
      this.isDormant = true;
      return "wait";
    }
    this.pingedAtMs = nowMs;
    return "ping";
  }

  /** A stream has opened while `isDormant`. True: ping now. */
  wakes(nowMs: number): boolean {
    this.isDormant = false;
    if (this.receivedSinceTick) return false;
    this.pingedAtMs = nowMs;
    return true;
  }
}
