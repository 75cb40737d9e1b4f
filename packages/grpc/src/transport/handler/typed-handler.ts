import type { DescMessage, DescMethod, Message, MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext, Interceptor, MethodImplSpec } from "@connectrpc/connect";
import type { HookChain } from "../../hooks/call-hook.ts";

export type Init = MessageInitShape<DescMessage>;

/** A handler of Connect's API, and what runs around it. */
export interface TypedHandler {
  readonly spec: MethodImplSpec;
  readonly desc: DescMethod;
  /** The server's interceptors, then those that were given with the service; the first is the outermost. */
  readonly interceptors: readonly Interceptor[];
  /** The same where all of them are hooks: then the call needs none of Connect's objects. */
  readonly hooks: HookChain | undefined;
}

export function callHandler(
  handler: TypedHandler,
  input: Message | AsyncIterable<Message>,
  context: HandlerContext,
): Init | Promise<Init> | AsyncIterable<Init> {
  // The four kinds differ in their types only; which input a kind takes was decided when the call began.
  const impl = handler.spec.impl as (
    input: Message | AsyncIterable<Message>,
    context: HandlerContext,
  ) => Init | Promise<Init> | AsyncIterable<Init>;
  return impl(input, context);
}
