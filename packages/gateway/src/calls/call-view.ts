import type { ConnectError } from "@connectrpc/connect";
import type { ClientTls } from "@tercel/grpc";
import {
  Cancellation,
  type ContextSource,
  type DeadlineEntry,
  findMetadata,
  type GatewayHost,
  type HttpExchange,
  type MessageCodec,
  type MethodHandler,
  metadataToHeaders,
  shortenDeadline,
  type TimedCall,
} from "@tercel/grpc/protocols";
import { urlOf } from "./read-fields.ts";

/** The part of an exchange that a call needs. */
export type CallExchange = Pick<
  HttpExchange,
  "head" | "peerAddress" | "peerTls" | "countsCalls" | "admit" | "handlerBegan" | "handlerEnded" | "reset"
>;

/** The common data of calls with the same method, protocol and head. */
export interface CallPlan {
  readonly host: GatewayHost;
  readonly handler: MethodHandler;
  readonly responseCodec: MessageCodec;
  /** "connect" or "grpc-web", as Connect names them, or "rest" or "websocket". */
  readonly protocolName: string;
  /** Undefined for a call without a deadline. */
  readonly timeoutMs: number | undefined;
}

/** The view of handlers and interceptors on a call: its request, its client, its deadline, and whether it is over. */
export abstract class CallView implements Omit<ContextSource, "arrivedAtMs" | "watchMessages" | "whenOver">, TimedCall {
  deadlineAtMs = 0;
  leastTimeoutMs = Number.POSITIVE_INFINITY;
  nextDeadline: DeadlineEntry | undefined = undefined;
  previousDeadline: DeadlineEntry | undefined = undefined;
  deadlineSlot = -1;
  isOver = false;
  /** Why the call ended before its handler. */
  endedBy: ConnectError | undefined = undefined;
  readonly plan: CallPlan;
  readonly exchange: CallExchange;
  /** Undefined until the signal is first used: creating one costs more than a small call. */
  #cancellation: Cancellation | undefined = undefined;

  constructor(plan: CallPlan, exchange: CallExchange) {
    this.plan = plan;
    this.exchange = exchange;
  }

  abstract onDeadline(): void;

  get settings(): GatewayHost {
    return this.plan.host;
  }

  get path(): string {
    return this.exchange.head.path;
  }

  get requestFields(): readonly string[] {
    return this.exchange.head.fields;
  }

  get protocolName(): string {
    return this.plan.protocolName;
  }

  get requestMethod(): string {
    return this.exchange.head.method;
  }

  get url(): string {
    return urlOf(this.exchange.head);
  }

  get signal(): AbortSignal {
    if (this.#cancellation === undefined) {
      this.#cancellation = new Cancellation();
      if (this.isOver) this.#cancellation.abort(this.endedBy);
    }
    return this.#cancellation.signal;
  }

  get peerAddress(): string | undefined {
    return this.exchange.peerAddress;
  }

  get peerTls(): ClientTls | undefined {
    return this.exchange.peerTls;
  }

  makeRequestHeader(): Headers {
    return metadataToHeaders(this.exchange.head.fields);
  }

  findRequestHeader(name: string): string | null {
    return findMetadata(this.exchange.head.fields, name);
  }

  get hasDeadline(): boolean {
    return this.deadlineAtMs !== 0;
  }

  remainingMs(): number | undefined {
    if (this.deadlineAtMs === 0) return undefined;
    return Math.max(0, this.deadlineAtMs - this.settings.clock.nowMs());
  }

  shortenDeadline(timeoutMs: number): void {
    shortenDeadline(this, timeoutMs);
  }

  /** Must be called once only. */
  protected setOver(error: ConnectError | undefined): void {
    this.isOver = true;
    this.endedBy = error;
    this.settings.deadlines.remove(this);
  }

  /** Aborts the signal, after `setOver`. */
  protected abortSignal(): void {
    this.#cancellation?.abort(this.endedBy);
  }
}
