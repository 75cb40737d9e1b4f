import { Code, ConnectError, type ContextValues } from "@connectrpc/connect";
import {
  ErrorCode,
  Http2Error,
  type Http2Stream,
  type ResponseHead,
  type StreamListener,
  type Trailers,
} from "@tercel/http2";
import type { MethodDefinition } from "../../call/method-definition.ts";
import type { MessageObserver } from "../../hooks/message-observer.ts";
import { fieldValue, findField } from "../../protocol/find-field.ts";
import { messagePrefixBytes } from "../../protocol/message-framing.ts";
import { metadataToHeaders } from "../../protocol/metadata.ts";
import type { Payload } from "../../protocol/payload.ts";
import { codeFromStreamError } from "../../protocol/status.ts";
import { readStatusAsError, readStatusTrailers } from "../../protocol/trailers.ts";
import { MessageReceiver, type MessageReceiverOwner } from "../messages/message-receiver.ts";
import type { SendingCall } from "../messages/message-sender.ts";
import { sendMessage } from "../messages/send-message.ts";
import { checkResponseHead } from "./check-response-head.ts";
import type { ClientCallPlan } from "./client-call-settings.ts";

/** What a call reports to its owner, with itself as an argument, because an owner that retries or hedges has several. */
export interface ClientCallListener {
  /** By the clock's `nowMs`; 0 without a deadline. */
  readonly deadlineAtMs: number;
  /** The response's head is here. Not called when the response is a status alone. */
  onHead(call: ClientCall): void;
  /** One response message, or the promise of it, which the owner may ignore. Not called when the receiver has a queue. */
  onMessage(call: ClientCall, message: object | Promise<object>): void;
  /** The reader of the responses has stopped. */
  onReaderGone(): void;
  /** The call is over, always exactly once. */
  onEnd(call: ClientCall, error: ConnectError | undefined): void;
  onWritable(call: ClientCall): void;
  /** What the call is doing now and how its time was spent, for the end of the message of a local error. */
  describeCall(): string;
}

const noFields: readonly string[] = [];

/** Marks the heads and trailers that need no second look: plain gRPC without compression, and status OK. */
const plain = Symbol("plain");

/**
 * One call on a client, from its place on a connection to its status. Whatever ends it first (the trailers, the deadline,
 * the caller, a broken response) decides the status.
 */
export class ClientCall implements StreamListener, MessageReceiverOwner, SendingCall<boolean> {
  /** Replaced at most before the call has its stream, when limits of its method become known. */
  plan: ClientCallPlan;
  readonly receiver: MessageReceiver;
  protected readonly listener: ClientCallListener;
  /** Asked about each message whether to compress it. */
  sendValues: ContextValues | undefined = undefined;
  /** Bytes of messages sent so far, prefixes included. */
  sentBytes = 0;
  isOver = false;
  observer: MessageObserver | undefined = undefined;
  private head: ResponseHead | undefined = undefined;
  /** The head carries a status, so it may be all there is. */
  private headIsStatus = false;
  private trailers: Trailers | undefined = undefined;

  constructor(plan: ClientCallPlan, listener: ClientCallListener) {
    this.plan = plan;
    this.listener = listener;
    this.receiver = new MessageReceiver(this, plan.receive, undefined);
  }

  get method(): MethodDefinition {
    return this.plan.method;
  }

  /** The call has its place on a connection. */
  begin(stream: Http2Stream): void {
    this.receiver.stream = stream;
    this.receiver.observer = this.observer;
  }

  get stream(): Http2Stream | undefined {
    return this.receiver.stream;
  }

  /**
   * The caller, the deadline or a lost connection ended the call: what was received and is not taken yet is dropped. A server's status
   * comes after the messages before it, an error as well.
   */
  get isCutOff(): boolean {
    return this.receiver.isCutOff;
  }

  // ---- what its owner calls

  get responseHeader(): Headers {
    return metadataToHeaders(this.headFields);
  }

  get responseTrailer(): Headers {
    return metadataToHeaders(this.trailerFields);
  }

  /** Bytes that the peer's windows or the socket hold back. */
  get unsentBytes(): number {
    return this.stream === undefined || this.stream.isClosed ? 0 : this.stream.pendingBytes;
  }

  get hasHead(): boolean {
    return this.head !== undefined;
  }

  /** The fields of the response's head; none where it has a status alone. */
  get headFields(): readonly string[] {
    return this.head === undefined || this.isTrailersOnly ? noFields : this.head.fields;
  }

  /** The fields that end the response: its trailers, or a head that is all there is. */
  get trailerFields(): readonly string[] {
    return (this.isTrailersOnly ? this.head?.fields : this.trailers?.fields) ?? noFields;
  }

  /** The call does not keep the process alive. Only once it has its place on a connection. */
  unref(): void {
    this.stream?.unref();
  }

  /** A field of the trailers as it came; null when it is not there. */
  trailerField(name: string): string | null {
    return fieldValue(this.trailerFields, name) ?? null;
  }

  /**
   * Encodes and sends one request message. False, now or later: the stream holds enough, wait for `onWritable`.
   * Throws when the message cannot be encoded or is over the limit.
   */
  send(message: object, isLast: boolean): boolean | Promise<boolean> {
    if (this.isOver || this.stream?.isWritable !== true) return true;
    return this.plan.sender.send(message, this, isLast);
  }

  /** Sends a message as it will travel. False: the stream holds enough, wait for `onWritable`. */
  put(payload: Payload, isLast: boolean): boolean {
    const { stream } = this;
    if (stream?.isWritable !== true) return true;
    this.sentBytes += payload.length + messagePrefixBytes;
    this.observer?.onSent(payload.length, payload.compressed);
    return sendMessage(stream, payload, isLast);
  }

  endRequests(): void {
    if (this.stream?.isWritable) this.stream.sendData(noBytes, true);
  }

  /** Ends the call from this side, with a reset to the server. */
  cancel(error: ConnectError): void {
    this.cutOff(error);
  }

  // ---- StreamListener

  onHead(head: ResponseHead): void {
    this.head = head;
    if (head.memo === plain) {
      this.listener.onHead(this);
      return;
    }
    const decoding = checkResponseHead(head, this.plan.settings);
    if ("error" in decoding) {
      this.finish(decoding.error);
      return;
    }
    this.receiver.receivedCompression = decoding.compression;
    if (findField(head.fields, "grpc-status") !== -1) {
      this.headIsStatus = true;
      return;
    }
    if (decoding.compression === undefined) head.memo = plain;
    this.listener.onHead(this);
  }

  onData(bytes: Uint8Array, start: number, end: number): void {
    if (this.headIsStatus && !this.isOver) {
      // With messages after it, a head that carries a status is still only a head.
      this.headIsStatus = false;
      this.listener.onHead(this);
    }
    this.receiver.onData(bytes, start, end);
  }

  onTrailers(trailers: Trailers): void {
    this.trailers = trailers;
  }

  onEnd(): void {
    if (this.isOver) return;
    if (!this.receiver.isBetweenMessages) {
      this.finish(new ConnectError("the response ended inside a message", Code.Internal));
      return;
    }
    const { trailers, head } = this;
    if (trailers === undefined) {
      this.onStatus(this.readStatus(this.headIsStatus ? (head?.fields ?? noFields) : noFields));
    } else if (trailers.memo === plain) {
      this.finish(undefined);
    } else {
      const error = this.readStatus(trailers.fields, head?.fields);
      if (error === undefined) trailers.memo = plain;
      this.onStatus(error);
    }
  }

  onReset(error: Http2Error): void {
    const reason = this.errorOfReset(error);
    if (error.scope === "connection" || this.hasPassedDeadline) this.cutOff(reason);
    else this.finish(reason);
  }

  onWritable(): void {
    this.listener.onWritable(this);
  }

  // ---- MessageReceiverOwner

  onMessage(payload: Payload): void {
    try {
      this.listener.onMessage(this, this.receiver.makeMessage(payload));
    } catch (error) {
      this.finish(ConnectError.from(error, Code.Internal));
    }
  }

  onBadMessage(error: unknown): ConnectError {
    const reason = ConnectError.from(error, Code.Internal);
    this.finish(reason);
    return reason;
  }

  onReaderGone(): void {
    this.listener.onReaderGone();
  }

  // ---- within

  private get isTrailersOnly(): boolean {
    return this.headIsStatus && this.trailers === undefined;
  }

  /** Whether the server has certainly not seen the call: it refused the stream, or went away before it (RFC 9113 §8.7). */
  static isUnprocessed(error: ConnectError): boolean {
    return error.cause instanceof Http2Error && error.cause.unprocessed;
  }

  private readStatus(trailers: readonly string[], headers?: readonly string[]): ConnectError | undefined {
    return this.method.desc === undefined ? readStatusAsError(trailers) : readStatusTrailers(trailers, headers);
  }

  private onStatus(error: ConnectError | undefined): void {
    const isLate = error?.code === Code.DeadlineExceeded && this.hasPassedDeadline;
    if (isLate) this.cutOff(this.errorOfDeadline(error));
    else this.finish(error);
  }

  /** Both sides watch the deadline, and the server's word may come before our timer. */
  private get hasPassedDeadline(): boolean {
    const { deadlineAtMs } = this.listener;
    return deadlineAtMs > 0 && this.plan.settings.clock.nowMs() >= deadlineAtMs;
  }

  /** Tells where the call was, which the server does not know. */
  private errorOfDeadline(reported?: ConnectError): ConnectError {
    const message = `the deadline has passed${this.listener.describeCall()}`;
    const error = new ConnectError(message, Code.DeadlineExceeded, reported?.metadata, undefined, reported);
    if (reported !== undefined) error.details = reported.details;
    return error;
  }

  private errorOfReset(error: Http2Error): ConnectError {
    if (this.hasPassedDeadline) return this.errorOfDeadline();
    const message = error.message + this.listener.describeCall();
    if (error.scope === "connection" || error.unprocessed) {
      return new ConnectError(message, Code.Unavailable, undefined, undefined, error);
    }
    const code = error.blame === "peer" ? codeFromStreamError(error.code) : Code.Internal;
    return new ConnectError(message, code, undefined, undefined, error);
  }

  private cutOff(error: ConnectError): void {
    if (!this.isOver) this.receiver.isCutOff = true;
    this.finish(error);
  }

  private finish(error: ConnectError | undefined): void {
    if (this.isOver) return;
    this.isOver = true;
    const { receiver, stream } = this;
    receiver.halt();
    // After a status the server needs nothing more of us; before one it has to learn that we are gone.
    if (stream !== undefined && !stream.isClosed) stream.reset(ErrorCode.cancel);
    if (receiver.isCutOff && receiver.receivedCompression !== undefined) stream?.leaveRoom();
    this.listener.onEnd(this, error);
  }
}

const noBytes = new Uint8Array(0);
