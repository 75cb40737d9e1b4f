import { ConnectError, type ContextValues } from "@connectrpc/connect";
import { keepStack, rejectToCaller } from "../../call/caller-stack.ts";
import { MessageQueue } from "../../call/message-queue.ts";
import { Payload } from "../../protocol/payload.ts";
import type { SendingCall } from "../../transport/message-sender.ts";
import type { Attempt } from "./attempt.ts";
import type { CallContext } from "./call-context.ts";
import type { MethodPlan } from "./method-plans.ts";
import { OutgoingCall, type OutgoingCallInit } from "./outgoing-call.ts";
import type { OpenResponse } from "./responses.ts";
import { SentRequests } from "./sent-requests.ts";

/**
 * Any number of messages one way or both: a promise of the response's head, and with it of the messages.
 *
 * Until the call commits to an attempt, the requests are kept as they were sent, and each attempt sends them from the first
 * on. What the application gives next is taken only when some attempt has caught up and has room.
 */
export class StreamingCall extends OutgoingCall implements SendingCall<boolean> {
  private readonly input: AsyncIterator<object>;
  private readonly resolve: (response: object | Promise<never>) => void;
  private readonly responses: MessageQueue<object>;
  private response: OpenResponse | undefined = undefined;
  private readonly sent: SentRequests;
  /** The next attempt is the last: what follows no longer fits the buffer. */
  private hasOverflowed = false;
  private hasPumped = false;
  private inputOver = false;
  private wakeSender: (() => void) | undefined = undefined;
  /** Told of the call's end after everybody else. */
  onOver: ((error: ConnectError | undefined) => void) | undefined = undefined;

  constructor(
    calls: CallContext,
    plan: MethodPlan,
    init: OutgoingCallInit,
    requests: AsyncIterable<object>,
    resolve: (response: object | Promise<never>) => void,
  ) {
    super(calls, plan, init);
    this.input = requests[Symbol.asyncIterator]();
    this.responses = new MessageQueue<object>(this.attempt.receiver, calls.receiveShare);
    this.resolve = resolve;
    this.sent = new SentRequests(calls.replayBudget);
    this.prepareAttempt(this.attempt);
  }

  /** The requests so far are in memory and counted as long as the call is not committed. */
  override holdRequest(): boolean {
    return !this.isCommitted && !this.hasOverflowed;
  }

  // ---- SendingCall, for requests that may have to be sent again

  get sendValues(): ContextValues | undefined {
    return this.init.contextValues;
  }

  put({ content, compressed }: Payload): boolean {
    return this.keep(new Payload().whole(content, compressed, false));
  }

  // ---- what the kind of call adds

  protected prepareAttempt(attempt: Attempt): void {
    attempt.receiver.queue = this.responses;
    if (this.hasOverflowed) this.commit(attempt);
  }

  protected override commit(attempt: Attempt): void {
    super.commit(attempt);
    this.responses.source = this.attempt.receiver;
  }

  protected takeHead(attempt: Attempt): void {
    attempt.timesSince(this.startedAtMs).headAtMs = this.calls.clock.nowMs();
    this.respond(attempt);
  }

  /** Its attempts put them into the queue. */
  protected takeMessage(): void {}

  protected sendRequests(attempt: Attempt): void {
    if (this.hasPumped) {
      this.sendMore(attempt);
      return;
    }
    this.hasPumped = true;
    this.pump().catch((error) => {
      this.cancel(error instanceof ConnectError ? keepStack(error) : ConnectError.from(error));
    });
  }

  protected sendMore(attempt: Attempt): void {
    attempt.isBlocked = false;
    if (!this.isOver) this.sendOn(attempt);
  }

  private sendOn(attempt: Attempt): void {
    if (attempt.isAbandoned || attempt.stream === undefined) return;
    this.replay(attempt);
    if (this.hasRoom) this.wake();
  }

  protected forgetRequests(): void {
    this.sent.release();
    this.forgetSent();
  }

  protected settle(error: ConnectError | undefined): void {
    this.response?.complete(error);
    if (error === undefined) {
      this.responses.end();
      if (this.response === undefined) this.respond(this.attempt);
    } else if (this.response !== undefined) {
      if (this.attempt.isCutOff) this.responses.cutOff(error);
      else this.responses.fail(error);
    } else {
      this.resolve(rejectToCaller(error));
    }
    this.wake();
    this.stopInput();
    this.onOver?.(error);
  }

  private respond(attempt: Attempt): void {
    this.response = this.plan.responses.stream(attempt, this.responses);
    this.resolve(this.response);
  }

  /** Takes requests as they come, no faster than they leave. */
  private async pump(): Promise<void> {
    const { method, calls } = this;
    while (!this.isOver) {
      const next = await this.input.next();
      if (next.done === true) {
        this.inputOver = true;
        this.sendToAll();
        return;
      }
      if (this.isOver) return;
      const hasRoom = this.take(method.request.toMessage(next.value));
      const pause = (typeof hasRoom === "boolean" ? hasRoom : await hasRoom) ? calls.sendShare.take() : this.room();
      if (pause !== undefined) await pause;
    }
  }

  /** Sends a request on, and keeps it where it may have to be sent again. False: wait for room. */
  private take(message: object): boolean | Promise<boolean> {
    const { attempt } = this;
    if (this.isCommitted && this.sent.isEmpty && attempt.stream !== undefined && !attempt.isBlocked) {
      const sent = attempt.send(message, false);
      return typeof sent === "boolean" ? this.noteRoom(attempt, sent) : sent.then((it) => this.noteRoom(attempt, it));
    }
    return this.plan.sender.send(message, this, false);
  }

  private noteRoom(attempt: Attempt, hasRoom: boolean): boolean {
    attempt.sentMessages++;
    this.sent.skipTo(attempt.sentMessages);
    attempt.isBlocked = !hasRoom;
    return hasRoom;
  }

  private keep(encoded: Payload): boolean {
    if (this.isOver) return true;
    this.sent.add(encoded);
    if (!this.isCommitted && !this.hasOverflowed && !this.sent.reserve(encoded)) this.overflow();
    this.sendToAll();
    return this.hasRoom;
  }

  /** The request no longer fits the buffer: the call goes on with the attempt that is furthest, or with the next one. */
  private overflow(): void {
    const { repetition } = this;
    const attempt = repetition === undefined ? this.attempt : repetition.furthest;
    if (attempt === undefined) this.hasOverflowed = true;
    else this.commit(attempt);
  }

  private sendToAll(): void {
    const { repetition } = this;
    if (this.isCommitted || repetition === undefined) {
      this.replay(this.attempt);
      return;
    }
    for (const attempt of repetition.openAttempts) this.replay(attempt);
  }

  /** Sends what the attempt has not sent yet, as far as there is room. */
  private replay(attempt: Attempt): void {
    if (attempt.stream === undefined || attempt.isOver) return;
    const { end } = this.sent;
    while (attempt.sentMessages < end) {
      if (attempt.isBlocked) return;
      const message = this.sent.get(attempt.sentMessages);
      attempt.sentMessages++;
      attempt.isBlocked = !attempt.put(message, false);
    }
    if (this.isCommitted) this.forgetSent();
    if (!this.inputOver || attempt.hasEndedRequests) return;
    attempt.hasEndedRequests = true;
    attempt.endRequests();
  }

  /** Drops the requests that the committed attempt has sent. */
  private forgetSent(): void {
    if (this.isOver) this.sent.clear();
    else this.sent.forgetBefore(this.attempt.sentMessages);
  }

  /** Whether some attempt has sent everything and takes more. */
  private get hasRoom(): boolean {
    const { repetition } = this;
    if (this.isCommitted || repetition === undefined) return this.isCaughtUp(this.attempt);
    for (const attempt of repetition.openAttempts) if (this.isCaughtUp(attempt)) return true;
    return false;
  }

  private isCaughtUp(attempt: Attempt): boolean {
    if (attempt.stream === undefined || attempt.isBlocked) return false;
    return attempt.sentMessages >= this.sent.end;
  }

  private room(): Promise<void> | undefined {
    if (this.isOver || this.hasRoom) return undefined;
    return new Promise<void>((resolve) => {
      this.wakeSender = resolve;
    });
  }

  private wake(): void {
    this.wakeSender?.();
    this.wakeSender = undefined;
  }

  /** The call is over, so the application's generator is told to clean up; what it says to that changes nothing. */
  private stopInput(): void {
    if (this.inputOver) return;
    this.inputOver = true;
    // In a promise, because an iterator of the application's own making may throw at once or return none.
    new Promise((resolve) => resolve(this.input.return?.())).catch(() => {});
  }
}
