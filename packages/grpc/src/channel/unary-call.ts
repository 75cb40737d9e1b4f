import type { DescMethodUnary, Message } from "@bufbuild/protobuf";
import { Code, ConnectError, type UnaryResponse } from "@connectrpc/connect";
import { DeferredMessage } from "../call/deferred-message.ts";
import { Attempt } from "./attempt.ts";
import type { ChannelCalls } from "./channel-calls.ts";
import { LazyUnaryResponse } from "./responses.ts";

/** One request, one response: a promise of the latter. */
export class UnaryCall extends Attempt {
  private readonly request: Message;
  private readonly resolve: (response: UnaryResponse) => void;
  private readonly reject: (error: ConnectError) => void;
  private response: Message | Promise<Message> | undefined = undefined;

  constructor(
    calls: ChannelCalls,
    method: DescMethodUnary,
    signal: AbortSignal | undefined,
    fields: readonly string[],
    request: Message,
    resolve: (response: UnaryResponse) => void,
    reject: (error: ConnectError) => void,
  ) {
    super(calls, method, signal, fields);
    this.request = request;
    this.resolve = resolve;
    this.reject = reject;
  }

  onHead(): void {}

  onWritable(): void {}

  onMessage(message: Message | DeferredMessage<Message>): void {
    if (this.response === undefined) {
      const response = message instanceof DeferredMessage ? message.make() : message;
      this.response = response;
      // Whoever awaits the call sees the failure; until then it must not count as unhandled.
      if (response instanceof Promise) response.catch(() => {});
    } else {
      this.call.cancel(new ConnectError("the server sent more than one response message", Code.Unimplemented));
    }
  }

  protected get canRepeat(): boolean {
    return this.response === undefined;
  }

  protected sendRequest(): void {
    const sent = this.call.send(this.request, true);
    if (sent instanceof Promise) sent.catch((error) => this.call.cancel(ConnectError.from(error, Code.Internal)));
  }

  protected settle(error: ConnectError | undefined): void {
    const { response } = this;
    if (error !== undefined) this.reject(error);
    else if (response === undefined) {
      this.reject(new ConnectError("the server sent a status of OK without a response message", Code.Unimplemented));
    } else if (response instanceof Promise) {
      response.then(
        (message) => this.resolve(this.makeResponse(message)),
        (reason) => this.reject(ConnectError.from(reason, Code.Internal)),
      );
    } else {
      this.resolve(this.makeResponse(response));
    }
  }

  private makeResponse(message: Message): UnaryResponse {
    return new LazyUnaryResponse(this.method as DescMethodUnary, this.call, message);
  }
}
