import type { ConnectError } from "@connectrpc/connect";
import type { ContextSource } from "../../call/context/handler-context.ts";
import type { ResponseMetadata } from "../../call/context/response-metadata.ts";
import type { MessageCodec } from "../../call/messages/message-codec.ts";
import type { MessageSender, SendingCall } from "../messages/message-sender.ts";

/** The call that a handler runs for. */
export interface HandledCall extends ContextSource, SendingCall<Promise<void> | undefined> {
  /** "/package.Service/Method", as the client wrote it. */
  readonly path: string;
  /** The request's head without pseudo-header fields: name, value, name, value, … */
  readonly requestFields: readonly string[];
  readonly responseCodec: MessageCodec;
  readonly sender: MessageSender;
  /** Set before the handler runs. */
  metadata: ResponseMetadata | undefined;
  /** Its status is decided: nothing that is sent any more arrives. */
  readonly isOver: boolean;
  readonly headSent: boolean;
  /** Sends the response's head, unless it has been. Returns an error, with nothing sent, where the client does not accept so much metadata. */
  sendHead(): ConnectError | undefined;
  /** Call after each message of a stream for which `respond` had room. The promise, if any, is kept when it is this call's turn again. */
  share(): Promise<void> | undefined;
  /** The handler has sent its whole response. */
  succeed(): void;
  /** The handler has ended, whatever became of the call before. */
  handlerEnded(): void;
  /**
   * The handler has ended with an error, which ends the call. What is not a ConnectError stays here: the peer learns only that something
   * failed. Never throws, whatever was thrown.
   */
  handlerFailed(reason: unknown): void;
}

/** What is handed to `respond`, at once, for what a handler returned. */
export function toSendable(codec: MessageCodec, init: unknown): object {
  return codec.toSendable === undefined ? codec.toMessage(init) : codec.toSendable(init);
}

/** Sends one response message. The promise, if any, resolves when there is room for another. */
export function respond(call: HandledCall, message: object): Promise<void> | undefined {
  return call.isOver ? undefined : (call.sender.send(message, call, false) as Promise<void> | undefined);
}

/** Sends the messages of a handler whose response is a stream, and ends the call after them. */
export function sendResponses(call: HandledCall, outputs: AsyncIterable<object>): void {
  sendAll(call, outputs).then(
    () => ended(call),
    (error) => failed(call, error),
  );
}

/** Sends what a handler has returned whose response is one message, and ends the call. */
export function sendResponse(call: HandledCall, output: object | Promise<object>): void {
  if (isPromise(output)) {
    output.then(
      (init) => sendInit(call, init),
      (error) => failed(call, error),
    );
  } else {
    sendInit(call, output);
  }
}

function sendInit(call: HandledCall, init: object): void {
  let message: object;
  try {
    message = toSendable(call.responseCodec, init);
  } catch (error) {
    failed(call, error);
    return;
  }
  sendAnswer(call, message);
}

/** Sends the one message of an answer, and ends the call when it has left. */
export function sendAnswer(call: HandledCall, message: object): void {
  try {
    const sent = respond(call, message);
    if (sent === undefined) {
      ended(call);
      return;
    }
    sent.then(
      () => ended(call),
      (error) => failed(call, error),
    );
  } catch (error) {
    failed(call, error);
  }
}

/** Sends messages as the handler yields them, no faster than they leave. Leaving the loop ends the handler's generator. */
export async function sendAll(call: HandledCall, outputs: AsyncIterable<object>): Promise<void> {
  const { responseCodec } = call;
  for await (const init of outputs) {
    if (call.isOver) return;
    const sent = respond(call, toSendable(responseCodec, init)) ?? call.share();
    if (sent !== undefined) await sent;
    if (call.isOver) return;
  }
}

export function ended(call: HandledCall): void {
  call.succeed();
  call.handlerEnded();
}

export function failed(call: HandledCall, error: unknown): void {
  call.handlerFailed(error);
}

export async function* oneOf<T>(message: T): AsyncIterable<T> {
  yield message;
}

export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return value instanceof Promise || typeof (value as { then?: unknown }).then === "function";
}

export function isAsyncIterable<T>(value: unknown): value is AsyncIterable<T> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}
