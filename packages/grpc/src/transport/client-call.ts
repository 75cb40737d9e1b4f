import { Code, ConnectError, type ContextValues } from "@connectrpc/connect";
import {
  ErrorCode,
  Http2Error,
  type ResponseHead,
  type Stream,
  type StreamListener,
  type Trailers,
} from "@tercel/http2";
import { compressionForMessage } from "../call/compress-messages.ts";
import type { MessageCodec } from "../call/message-codec.ts";
import type { MessageQueue } from "../call/message-queue.ts";
import type { MethodDefinition } from "../call/method-definition.ts";
import type { MessageObserver } from "../hooks/message-observer.ts";
import type { Compression } from "../protocol/compression.ts";
import { fieldValue, findField } from "../protocol/find-field.ts";
import { MessageReader, type MessageSink, messagePrefixBytes } from "../protocol/message-framing.ts";
import { metadataToHeaders } from "../protocol/metadata.ts";
import { codeFromStreamError } from "../protocol/status.ts";
import { readStatusAsError, readStatusTrailers } from "../protocol/trailers.ts";
import { workOfMessage } from "../time/turn-share.ts";
import { checkResponseHead } from "./check-response-head.ts";
import type { ClientCallSettings } from "./client-call-settings.ts";
import { decodeReceived, type ReceivingCall } from "./decode-received.ts";
import { type EncodedMessage, encodeWithinLimit } from "./encode-request.ts";
import { isOneMessage } from "./one-message.ts";
import { isWorthIt, sendMessage } from "./send-message.ts";

/** What a call tells whoever made it; the call itself comes along, because one that is repeated or hedged has several. */
export interface ClientCallListener {
  /** By the clock's `nowMs`; 0 without a deadline. */
  readonly deadlineAtMs: number;
  /** The response's head is here. Not called when the response is a status alone. */
  onHead(call: ClientCall): void;
  /** One response message, or the promise of it, which somebody may leave alone. Not called when the call has `responses`. */
  onMessage(call: ClientCall, message: object | Promise<object>): void;
  /** The call is over, always exactly once. */
  onEnd(call: ClientCall, error: ConnectError | undefined): void;
  onWritable(call: ClientCall): void;
  /** What the call is doing now and how its time was spent, to be put behind the message of an error that is ours. */
  describeCall(): string;
}

const noFields: readonly string[] = [];

/** Marks the heads and trailers that need no second look: plain gRPC without compression, and status OK. */
const plain = Symbol("plain");

/**
 * One call on a client, from its place on a connection to its status. Whatever ends it first (the trailers, the deadline,
 * the caller, a broken response) decides the status.
 */
export class ClientCall implements StreamListener, MessageSink, ReceivingCall {
  readonly method: MethodDefinition;
  /** Replaced at most before the call has its stream, when limits of its method become known. */
  settings: ClientCallSettings;
  protected readonly listener: ClientCallListener;
  /** Undefined until the call has its place on a connection. */
  stream: Stream | undefined = undefined;
  /** Asked about each message whether to compress it. */
  contextValues: ContextValues | undefined = undefined;
  /** Where the responses of a method that answers with a stream wait for the application. */
  responses: MessageQueue<object> | undefined = undefined;
  /** Bytes of messages sent so far, prefixes included. */
  sentBytes = 0;
  observer: MessageObserver | undefined = undefined;
  private head: ResponseHead | undefined = undefined;
  /** The head carries a status, so it may be all there is. */
  private headIsStatus = false;
  private trailers: Trailers | undefined = undefined;
  private reader: MessageReader | undefined = undefined;
  receivedCompression: Compression | undefined = undefined;
  private over = false;
  /**
   * The caller, the deadline or a lost connection ended the call: what was received and is not taken yet is dropped. A server's status
   * comes after the messages before it, an error as well.
   */
  isCutOff = false;

  constructor(settings: ClientCallSettings, method: MethodDefinition, listener: ClientCallListener) {
    this.settings = settings;
    this.method = method;
    this.listener = listener;
  }

  get isOver(): boolean {
    return this.over;
  }

  // ---- ReceivingCall

  get receivedCodec(): MessageCodec {
    return this.method.response;
  }

  get maxReceiveMessageBytes(): number {
    return this.settings.maxReceiveMessageBytes;
  }

  takeRoom(bytes: number): Promise<void> | undefined {
    return this.stream?.takeRoom(bytes);
  }

  keepRoom(bytes: number): void {
    this.stream?.keepRoom(bytes);
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
    const { settings, stream } = this;
    if (this.over || stream === undefined || !stream.isWritable) return true;
    const bytes = encodeWithinLimit(settings, this.method, message);
    const { sendCompression, compressMinBytes } = settings;
    const compression = compressionForMessage(sendCompression, bytes.length, compressMinBytes, this.contextValues);
    if (compression === undefined) return this.put(bytes, false, isLast, this.method.request.ownsEncoded);
    const payload = compression.compress(bytes);
    if (!(payload instanceof Promise)) return this.putSmaller(bytes, payload, isLast);
    return payload.then((compressed) => this.putSmaller(bytes, compressed, isLast));
  }

  /** Sends a message that `encodeRequest` has made. False: the stream holds enough, wait for `onWritable`. */
  sendEncoded(message: EncodedMessage): boolean {
    return this.put(message.payload, message.isCompressed, false, false);
  }

  endRequests(): void {
    if (this.stream?.isWritable) this.stream.sendData(noBytes, true);
  }

  /** A received message has been taken. */
  consume(bytes: number): void {
    this.stream?.consume(bytes);
  }

  lend(bytes: number): void {
    this.stream?.lend(bytes);
  }

  messageComplete(): void {
    this.stream?.messageComplete();
  }

  repay(bytes: number): void {
    this.stream?.repay(bytes);
  }

  usedUp(): void {
    this.keepRoom(0);
  }

  /** Makes a response message, as `MessageSource` has it. */
  makeMessage(
    bytes: Uint8Array,
    start: number,
    end: number,
    compressed: boolean,
    isOwn: boolean,
  ): object | Promise<object> {
    try {
      const message = decodeReceived(this, bytes, start, end, compressed, isOwn);
      return message instanceof Promise ? this.refusing(message) : message;
    } catch (error) {
      return this.refuseMessage(error);
    }
  }

  /** Ends the call from this side; the server is told by a reset. */
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
    const decoding = checkResponseHead(head, this.settings);
    if ("error" in decoding) {
      this.finish(decoding.error);
      return;
    }
    this.receivedCompression = decoding.compression;
    if (findField(head.fields, "grpc-status") !== -1) {
      this.headIsStatus = true;
      return;
    }
    if (this.receivedCompression === undefined) head.memo = plain;
    this.listener.onHead(this);
  }

  onData(bytes: Uint8Array, start: number, end: number): void {
    if (this.over) {
      this.stream?.consume(end - start);
      return;
    }
    if (this.headIsStatus) {
      // With messages behind it, a head that carries a status is still only a head.
      this.headIsStatus = false;
      this.listener.onHead(this);
    }
    this.responses?.received(end - start);
    if (this.reader === undefined && isOneMessage(bytes, start, end, this.settings.maxReceiveMessageBytes)) {
      if (this.responses === undefined) this.stream?.consume(end - start);
      this.onMessage(bytes, start + messagePrefixBytes, end, false, false);
    } else {
      if (this.responses === undefined) this.stream?.lend(end - start);
      this.reader ??= new MessageReader(this, this.settings.maxReceiveMessageBytes);
      const error = this.reader.push(bytes, start, end);
      if (error !== undefined) this.finish(error);
    }
    this.responses?.settle();
  }

  onMessage(bytes: Uint8Array, start: number, end: number, compressed: boolean, gathered: boolean): void {
    if (this.over) return;
    if (this.stream !== undefined) {
      const { owner } = this.stream;
      owner.messages.received++;
      owner.turnWork.done += workOfMessage(end - start, compressed);
    }
    this.observer?.onReceived(end - start, compressed);
    if (this.responses !== undefined) {
      this.responses.push(bytes, start, end, compressed, gathered);
      return;
    }
    try {
      this.listener.onMessage(this, this.makeMessage(bytes, start, end, compressed, gathered));
    } catch (error) {
      this.finish(ConnectError.from(error, Code.Internal));
    }
  }

  onTrailers(trailers: Trailers): void {
    this.trailers = trailers;
  }

  onEnd(): void {
    if (this.over) return;
    if (this.reader !== undefined && !this.reader.isBetweenMessages) {
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

  // ---- within

  private put(payload: Uint8Array, isCompressed: boolean, isLast: boolean, isGiven: boolean): boolean {
    const { stream } = this;
    if (stream === undefined || !stream.isWritable) return true;
    this.sentBytes += payload.length + messagePrefixBytes;
    this.observer?.onSent(payload.length, isCompressed);
    return sendMessage(stream, payload, isCompressed, isLast, isGiven);
  }

  private putSmaller(plain: Uint8Array, compressed: Uint8Array, isLast: boolean): boolean {
    return isWorthIt(plain, compressed)
      ? this.put(compressed, true, isLast, true)
      : this.put(plain, false, isLast, this.method.request.ownsEncoded);
  }

  private get isTrailersOnly(): boolean {
    return this.headIsStatus && this.trailers === undefined;
  }

  private refusing(message: Promise<object>): Promise<object> {
    const refusing = message.catch((error) => this.refuseMessage(error));
    // Whoever takes the message sees the failure; until then it must not count as unhandled.
    refusing.catch(() => {});
    return refusing;
  }

  private refuseMessage(error: unknown): never {
    const reason = ConnectError.from(error, Code.Internal);
    this.finish(reason);
    throw reason;
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
    return deadlineAtMs > 0 && this.settings.clock.nowMs() >= deadlineAtMs;
  }

  /** Tells where the call was, which the server does not know. */
  private errorOfDeadline(told?: ConnectError): ConnectError {
    const message = `the deadline has passed${this.listener.describeCall()}`;
    const error = new ConnectError(message, Code.DeadlineExceeded, told?.metadata, undefined, told);
    if (told !== undefined) error.details = told.details;
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
    if (!this.over) this.isCutOff = true;
    this.finish(error);
  }

  private finish(error: ConnectError | undefined): void {
    if (this.over) return;
    this.over = true;
    this.reader?.halt();
    const { stream } = this;
    // After a status the server needs nothing more of us; before one it has to learn that we are gone.
    if (stream !== undefined && !stream.isClosed) stream.reset(ErrorCode.cancel);
    if (this.isCutOff && this.receivedCompression !== undefined) stream?.leaveRoom();
    this.listener.onEnd(this, error);
  }
}

const noBytes = new Uint8Array(0);
