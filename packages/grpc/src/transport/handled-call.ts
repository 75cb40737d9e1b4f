import type { DescMessage, Message, MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import type { CallContext } from "../call/handler-context.ts";
import { toMessage } from "../call/message-init.ts";
import type { RequestPlan } from "./request-plan.ts";

export type Init = MessageInitShape<DescMessage>;

/** The call that a handler runs for. */
export interface HandledCall {
  readonly plan: RequestPlan;
  readonly context: CallContext;
  /** Its status is decided: nothing that is sent any more arrives. */
  readonly isOver: boolean;
  /** Sends one response message. The promise, if any, is kept when there is room for another. */
  respond(message: Message): Promise<void> | undefined;
  /** Call after each message of a stream for which `respond` had room. The promise, if any, is kept when it is this call's turn again. */
  share(): Promise<void> | undefined;
  /** The handler has answered all it wanted. */
  succeed(): void;
  /** The handler has ended, whatever became of the call before. */
  handlerEnded(): void;
  /**
   * The handler has ended with an error, which ends the call. What is not a ConnectError stays here: the peer learns only that something
   * failed. Never throws, whatever was thrown.
   */
  handlerFailed(reason: unknown): void;
}

export function callHandler(
  call: HandledCall,
  input: Message | AsyncIterable<Message>,
  context: HandlerContext,
): Init | Promise<Init> | AsyncIterable<Init> {
  // The four kinds differ in their types only; which input a kind takes was decided when the call began.
  const impl = call.plan.handler.spec.impl as (
    input: Message | AsyncIterable<Message>,
    context: HandlerContext,
  ) => Init | Promise<Init> | AsyncIterable<Init>;
  return impl(input, context);
}

/** One message is the whole answer. */
export function answer(call: HandledCall, init: Init): void {
  let message: Message;
  try {
    message = toMessage(call.plan.handler.output, init);
  } catch (error) {
    failed(call, error);
    return;
  }
  sendAnswer(call, message);
}

/** Sends the one message of an answer, and ends the call when it has left. */
export function sendAnswer(call: HandledCall, message: Message): void {
  try {
    const sent = call.respond(message);
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

/** Sends messages as they come, no faster than they leave. Leaving the loop tells the handler that no one listens. */
export async function sendAll(call: HandledCall, outputs: AsyncIterable<Init>): Promise<void> {
  const { output } = call.plan.handler;
  for await (const init of outputs) {
    if (call.isOver) return;
    const sent = call.respond(toMessage(output, init)) ?? call.share();
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

export async function* oneOf(message: Message): AsyncIterable<Message> {
  yield message;
}

export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return value instanceof Promise || typeof (value as { then?: unknown }).then === "function";
}

export function isAsyncIterable<T>(value: unknown): value is AsyncIterable<T> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}
