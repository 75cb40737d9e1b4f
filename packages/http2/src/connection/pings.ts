import type { Http2Error } from "../http2-error.ts";

/** Called once: without an error by the ping's answer, with one when the connection ends before. */
export type PingSettled = (error?: Http2Error) => void;

/** Our pings that are not answered yet, by the number that each carries. */
export class Pings {
  private next = 1;
  private readonly open = new Map<number, PingSettled>();

  get size(): number {
    return this.open.size;
  }

  /** The number to send. */
  add(settle: PingSettled): number {
    const number = this.next;
    this.next = (number + 1) >>> 0;
    this.open.set(number, settle);
    return number;
  }

  /** An answer nobody asked for is ignored. */
  acknowledged(number: number): void {
    const settle = this.open.get(number);
    this.open.delete(number);
    settle?.();
  }

  endAll(error: Http2Error): void {
    const settles = [...this.open.values()];
    this.open.clear();
    for (const settle of settles) settle(error);
  }
}
