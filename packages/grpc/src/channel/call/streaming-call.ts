import { ConnectError, type ContextValues } from "@connectrpc/connect";
import { keepStack, rejectToCaller } from "../../call/caller-stack.ts";
import { MessageQueue } from "../../call/messages/message-queue.ts";
import { Payload } from "../../protocol/payload.ts";
import type { SendingCall } from "../../transport/messages/message-sender.ts";
import type { Attempt } from "./attempt.ts";
import type { CallKind, CallOfKind } from "./call-kind.ts";
import type { OpenResponse } from "./responses.ts";
import { SentRequests } from "./sent-requests.ts";

/**
 * Any number of messages one way or both: a promise of the response's head, and with it of the messages.
 *
 * Until the call commits to an attempt, the requests are kept as they were sent, and each attempt sends them from the first
 * on. What the application gives next is taken only when some attempt has caught up and has room.
 */
export class StreamingCall implements CallKind, SendingCall<boolean> {
  private readonly requests: AsyncIterable<object>;
  private readonly resolve: (response: object | Promise<never>) => void;
  /** These four are set by `attach`. */
  private call!: CallOfKind;
  private input!: AsyncIterator<object>;
  private responses!: MessageQueue<object>;
  private sent!: SentRequests;
  private response: OpenResponse | undefined = undefined;
  /** The next attempt is the last: what follows no longer fits the buffer. */
  private hasOverflowed = false;
  private hasPumped = false;
  private inputOver = false;
  private wakeSender: (() => void) | undefined = undefined;
  /** Called last when the call ends. */
  onOver: ((error: ConnectError | undefined) => void) | undefined = undefined;

  constructor(requests: AsyncIterable<object>, resolve: (response: object | Promise<never>) => void) {
    this.requests = requests;
    this.resolve = resolve;
  }

  // ---- SendingCall, for requests that may have to be sent again

  get sendValues(): ContextValues | undefined {
    return this.call.init.contextValues;
  }

  put({ content, compressed }: Payload): boolean {
    return this.keep(new Payload().whole(content, compressed, false));
  }

  // ---- CallKind

  attach(call: CallOfKind): void {
    const { receiveShare, replayBudget } = call.calls;
    this.call = call;
    this.input = this.requests[Symbol.asyncIterator]();
    this.responses = new MessageQueue<object>(call.attempt.receiver, receiveShare);
    this.sent = new SentRequests(replayBudget);
  }

  /** The requests so far are in memory and counted as long as the call is not committed. */
  canRepeat(): boolean {
    return !this.hasOverflowed;
  }

  prepareAttempt(attempt: Attempt): void {
    attempt.receiver.queue = this.responses;
    if (this.hasOverflowed) this.call.commit(attempt);
  }

  onCommit(attempt: Attempt): void {
    this.responses.source = attempt.receiver;
  }

  onHead(attempt: Attempt): void {
    const { startedAtMs, calls } = this.call;
    attempt.timesSince(startedAtMs).headAtMs = calls.clock.nowMs();
    this.respond(attempt);
  }

  sendRequests(attempt: Attempt): void {
    if (this.hasPumped) {
      this.onWritable(attempt);
      return;
    }
    this.hasPumped = true;
    this.pump().catch((error) => {
      this.call.cancel(error instanceof ConnectError ? keepStack(error) : ConnectError.from(error));
    });
  }

  onWritable(attempt: Attempt): void {
    attempt.isBlocked = false;
    if (!this.call.isOver) this.sendOn(attempt);
  }

  private sendOn(attempt: Attempt): void {
    if (attempt.isAbandoned || attempt.stream === undefined) return;
    this.replay(attempt);
    if (this.hasRoom) this.wake();
  }

  forgetRequests(): void {
    this.sent.release();
    this.forgetSent();
  }

  settle(error: ConnectError | undefined): void {
    this.response?.complete(error);
    if (error === undefined) {
      this.responses.end();
      if (this.response === undefined) this.respond(this.call.attempt);
    } else if (this.response !== undefined) {
      if (this.call.attempt.isCutOff) this.responses.cutOff(error);
      else this.responses.fail(error);
    } else {
      this.resolve(rejectToCaller(error));
    }
    this.wake();
    this.stopInput();
    this.onOver?.(error);
  }

  private respond(attempt: Attempt): void {
    this.response = this.call.plan.responses.stream(attempt, this.responses);
    this.resolve(this.response);
  }

  /** Takes requests as they come, no faster than they leave. */
  private async pump(): Promise<void> {
    const { calls, plan } = this.call;
    while (!this.call.isOver) {
      const next = await this.input.next();
      if (next.done === true) {
        this.inputOver = true;
        this.sendToAll();
        return;
      }
      if (this.call.isOver) return;
      const hasRoom = this.take(plan.method.request.toMessage(next.value));
      const pause = (typeof hasRoom === "boolean" ? hasRoom : await hasRoom) ? calls.sendShare.take() : this.room();
      if (pause !== undefined) await pause;
    }
  }

  /** Sends a request on, and keeps it where it may have to be sent again. False: wait for room. */
  private take(message: object): boolean | Promise<boolean> {
    const { attempt } = this.call;
    if (this.call.isCommitted && this.sent.isEmpty && attempt.stream !== undefined && !attempt.isBlocked) {
      const sent = attempt.send(message, false);
      return typeof sent === "boolean" ? this.noteRoom(attempt, sent) : sent.then((it) => this.noteRoom(attempt, it));
    }
    return this.call.plan.sender.send(message, this, false);
  }

  private noteRoom(attempt: Attempt, hasRoom: boolean): boolean {
    attempt.sentMessages++;
    this.sent.skipTo(attempt.sentMessages);
    attempt.isBlocked = !hasRoom;
    return hasRoom;
  }

  private keep(encoded: Payload): boolean {
    if (this.call.isOver) return true;
    this.sent.add(encoded);
    if (!this.call.isCommitted && !this.hasOverflowed && !this.sent.reserve(encoded)) this.overflow();
    this.sendToAll();
    return this.hasRoom;
  }

  /** The request no longer fits the buffer: the call continues with the attempt that has sent most, or with the next one. */
  private overflow(): void {
    const { repetition } = this.call;
    const attempt = repetition === undefined ? this.call.attempt : repetition.furthest;
    if (attempt === undefined) this.hasOverflowed = true;
    else this.call.commit(attempt);
  }

  private sendToAll(): void {
    const { repetition } = this.call;
    if (this.call.isCommitted || repetition === undefined) {
      this.replay(this.call.attempt);
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
    if (this.call.isCommitted) this.forgetSent();
    if (!this.inputOver || attempt.hasEndedRequests) return;
    attempt.hasEndedRequests = true;
    attempt.endRequests();
  }

  /** Drops the requests that the committed attempt has sent. */
  private forgetSent(): void {
    if (this.call.isOver) this.sent.clear();
    else this.sent.forgetBefore(this.call.attempt.sentMessages);
  }

  /** Whether some attempt has sent everything and takes more. */
  private get hasRoom(): boolean {
    const { repetition } = this.call;
    if (this.call.isCommitted || repetition === undefined) return this.isCaughtUp(this.call.attempt);
    for (const attempt of repetition.openAttempts) if (this.isCaughtUp(attempt)) return true;
    return false;
  }

  private isCaughtUp(attempt: Attempt): boolean {
    if (attempt.stream === undefined || attempt.isBlocked) return false;
    return attempt.sentMessages >= this.sent.end;
  }

  private room(): Promise<void> | undefined {
    if (this.call.isOver || this.hasRoom) return undefined;
    return new Promise<void>((resolve) => {
      this.wakeSender = resolve;
    });
  }

  private wake(): void {
    this.wakeSender?.();
    this.wakeSender = undefined;
  }

  /** The call is over, so the application's generator is asked to clean up; its result is ignored. */
  private stopInput(): void {
    if (this.inputOver) return;
    this.inputOver = true;
    // In a promise, because an iterator of the application's own making may throw at once or return none.
    new Promise((resolve) => resolve(this.input.return?.())).catch(() => {});
  }
}
