import type { Http2Stream } from "@tercel/http2";
import type { MessageCodec } from "../../call/messages/message-codec.ts";
import type { MessageQueue, MessageSource } from "../../call/messages/message-queue.ts";
import type { MessageObserver } from "../../hooks/message-observer.ts";
import type { Compression } from "../../protocol/compression.ts";
import { MessageReader, type MessageSink, messagePrefixBytes } from "../../protocol/message-framing.ts";
import { Payload } from "../../protocol/payload.ts";
import { workOfMessage } from "../../time/turn-share.ts";
import { decodeReceived, type ReceivingCall } from "./decode-received.ts";
import { isOneMessage } from "./one-message.ts";

/** The call whose messages are received. */
export interface MessageReceiverOwner {
  /** A message of a unary direction, which does not have a queue. A peer may send more than one. */
  onMessage(payload: Payload): void;
  /** The received bytes are not a message, which ends the call. Returns the error for the reader of the message. */
  onBadMessage(error: unknown): unknown;
  /** The reader of the messages has stopped. */
  onReaderGone(): void;
}

/** How messages are received that have the same method and the same head. */
export interface ReceiveSettings {
  readonly codec: MessageCodec;
  readonly maxMessageBytes: number;
}

/** A message that came in one piece, which is the usual case. */
const arriving = new Payload();

/**
 * Takes the messages of one direction of a call out of its stream's data: unframed, counted, and either put into the call's queue or handed to the
 * call. Data of a message that is not complete, or that no one has taken, earns the peer no more credit than there is room for.
 */
export class MessageReceiver implements MessageSink, MessageSource<object>, ReceivingCall {
  /** Undefined before the call has its place on a connection. */
  stream: Http2Stream | undefined;
  /** Where messages wait of a direction that has any number of them. */
  queue: MessageQueue<object> | undefined = undefined;
  receivedCompression: Compression | undefined = undefined;
  /** Of the call's messages, both ways. */
  observer: MessageObserver | undefined = undefined;
  /** Of all messages, as they came. */
  receivedBytes = 0;
  /** See `ReceivingCall`. */
  isCutOff = false;
  settings: ReceiveSettings;
  private readonly owner: MessageReceiverOwner;
  private reader: MessageReader | undefined = undefined;
  private isHalted = false;

  constructor(owner: MessageReceiverOwner, settings: ReceiveSettings, stream: Http2Stream | undefined) {
    this.owner = owner;
    this.settings = settings;
    this.stream = stream;
  }

  /** False: the peer has sent a part of a message. */
  get isBetweenMessages(): boolean {
    return this.reader === undefined || this.reader.isBetweenMessages;
  }

  /** Nothing that comes from now on is looked at. */
  halt(): void {
    this.isHalted = true;
    this.reader?.halt();
  }

  /** No one takes the messages that still come; their bytes are given back. */
  ignoreRest(): void {
    this.reader?.halt();
  }

  /** As `StreamListener` has it. */
  onData(bytes: Uint8Array, start: number, end: number): void {
    const { stream, queue } = this;
    if (this.isHalted) {
      stream?.consume(end - start);
      return;
    }
    const { maxMessageBytes } = this.settings;
    queue?.received(end - start);
    if (this.reader === undefined && isOneMessage(bytes, start, end, maxMessageBytes)) {
      if (queue === undefined) stream?.consume(end - start);
      this.onMessage(arriving.borrow(bytes, start + messagePrefixBytes, end, false));
    } else {
      // Held until the direction has ended: a peer that sends one message and never the end must be counted for it.
      if (queue === undefined) stream?.lend(end - start);
      this.reader ??= new MessageReader(this, maxMessageBytes);
      const error = this.reader.push(bytes, start, end);
      if (error !== undefined) this.owner.onBadMessage(error);
    }
    queue?.settle();
  }

  // ---- MessageSink

  onMessage(payload: Payload): void {
    if (this.isHalted) return;
    const { length, compressed } = payload;
    this.stream?.messageReceived(workOfMessage(length, compressed));
    this.receivedBytes += length;
    this.observer?.onReceived(length, compressed);
    if (this.queue === undefined) this.owner.onMessage(payload);
    else this.queue.push(payload);
  }

  // ---- MessageSource

  makeMessage(payload: Payload): object | Promise<object> {
    try {
      const message = decodeReceived(this, payload);
      return message instanceof Promise ? this.refusing(message) : message;
    } catch (error) {
      throw this.owner.onBadMessage(error);
    }
  }

  consume(bytes: number): void {
    this.stream?.consume(bytes);
  }

  lend(bytes: number): void {
    this.stream?.lend(bytes);
  }

  messageComplete(): void {
    this.stream?.messageComplete();
  }

  repay(bytes?: number): void {
    this.stream?.repay(bytes);
  }

  usedUp(): void {
    this.keepRoom(0);
  }

  takesNoMore(): void {
    this.owner.onReaderGone();
  }

  // ---- ReceivingCall

  get receivedCodec(): MessageCodec {
    return this.settings.codec;
  }

  get maxReceiveMessageBytes(): number {
    return this.settings.maxMessageBytes;
  }

  takeRoom(bytes: number): Promise<void> | undefined {
    return this.stream?.takeRoom(bytes);
  }

  keepRoom(bytes: number): void {
    this.stream?.keepRoom(bytes);
  }

  /** Whoever takes the message sees the failure; until then it must not count as unhandled. */
  private refusing(message: Promise<object>): Promise<object> {
    const refusing = message.catch((error) => {
      throw this.owner.onBadMessage(error);
    });
    refusing.catch(() => {});
    return refusing;
  }
}
