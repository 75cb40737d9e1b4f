import type { Message } from "@bufbuild/protobuf";
import type { StreamRequest, UnaryRequest } from "@connectrpc/connect";
import type { CallContext } from "../../call/context/handler-context.ts";
import type { HookChain } from "../../hooks/call-hook.ts";
import { HookRun } from "../../hooks/hook-run.ts";
import {
  ended,
  failed,
  type HandledCall,
  isAsyncIterable,
  isPromise,
  oneOf,
  respond,
  sendAnswer,
  toSendable,
} from "./handled-call.ts";
import { HookedRequest, HookedResponse } from "./intercepted-messages.ts";
import { callHandler, type Init, type TypedHandler } from "./typed-handler.ts";

/**
 * One call whose interceptors are all hooks: one object for all of them, and only the promises that the handler creates. So the response of a handler that returns
 * at once is sent at once.
 *
 * The result is the one message of the response, or undefined for a response stream, which has been sent by then.
 */
export class HookedInvocation extends HookRun<Init | undefined> {
  private readonly handler: TypedHandler;
  private readonly call: HandledCall;
  private readonly context: CallContext;
  private readonly input: Message | AsyncIterable<Message>;

  /** Of a handler that has `hooks`. */
  constructor(handler: TypedHandler, call: HandledCall, context: CallContext, input: Message | AsyncIterable<Message>) {
    const chain = handler.hooks as HookChain;
    const message = handler.spec.kind === "server_streaming" ? oneOf(input as Message) : input;
    const request = new HookedRequest(handler.spec, context, message) as UnaryRequest | StreamRequest;
    super(chain, request, chain.scope !== undefined);
    context.handedRequest = request;
    this.handler = handler;
    this.call = call;
    this.context = context;
    this.input = input;
  }

  run(): void {
    try {
      const { scope } = this.chain;
      const output = scope === undefined ? this.enter(0) : scope.runInAsyncScope(enterAll, this);
      if (isPromise(output)) {
        output.then(
          (init) => this.onOutput(init),
          (error) => this.onFailure(error),
        );
      } else this.onOutput(output);
    } catch (error) {
      this.onFailure(error);
    }
  }

  protected proceed(): Init | Promise<Init | undefined> {
    const { handler, context, input, request } = this;
    if (!request.stream) return callHandler(handler, input, context) as Init | Promise<Init>;
    const output = callHandler(handler, this.watchedInput(), context);
    // BeginResult here, the whole of it runs within what the hooks run their calls in.
    return isAsyncIterable<Init>(output) ? this.sendAll(output) : output;
  }

  private watchedInput(): Message | AsyncIterable<Message> {
    const { input } = this;
    if (isAsyncIterable<Message>(input)) return this.gated(input);
    this.onRequest(input);
    return input;
  }

  private onOutput(output: Init | undefined): void {
    if (output === undefined) return;
    const { call } = this;
    let message: object;
    try {
      message = this.toSendable(output);
    } catch (error) {
      this.onFailure(error);
      return;
    }
    try {
      this.answered(this.response(), message);
    } catch (error) {
      failed(call, error);
      return;
    }
    sendAnswer(call, message);
  }

  /** Hooks see messages, even where the codec needs none. */
  private toSendable(init: Init): object {
    const { responseCodec } = this.call;
    return this.chain.readsResponses ? responseCodec.toMessage(init) : toSendable(responseCodec, init);
  }

  private onFailure(error: unknown): void {
    failed(this.call, this.failed(error));
  }

  private response(): HookedResponse | undefined {
    if (!this.chain.seesHead) return undefined;
    const { context } = this;
    const response = new HookedResponse(context);
    context.handedResponse = response;
    return response;
  }

  /** Sends messages as they come, no faster than they leave. */
  private async sendAll(outputs: AsyncIterable<Init>): Promise<undefined> {
    const { call } = this;
    this.headed(this.response());
    const source = outputs[Symbol.asyncIterator]();
    for (;;) {
      const result = await source.next();
      if (result.done === true) break;
      try {
        const message = this.toSendable(result.value);
        this.onResponse(message);
        if (!call.isOver) {
          const sent = respond(call, message) ?? call.share();
          if (sent !== undefined) await sent;
        }
        if (!call.isOver) continue;
      } catch (error) {
        // Leaving the loop ends the handler's generator.
        this.onLeave();
        await source.return?.();
        failed(call, error);
        return undefined;
      }
      this.onLeave();
      await source.return?.();
      call.handlerEnded();
      return undefined;
    }
    this.onEnd();
    ended(call);
    return undefined;
  }
}

function enterAll(this: HookedInvocation): ReturnType<HookedInvocation["enter"]> {
  return this.enter(0);
}
