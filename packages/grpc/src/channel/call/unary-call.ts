import type { DescMethodUnary, Message } from "@bufbuild/protobuf";
import { Code, ConnectError, type UnaryResponse } from "@connectrpc/connect";
import { rejectToCaller } from "../../call/caller-stack.ts";
import type { Attempt } from "./attempt.ts";
import type { CallContext } from "./call-context.ts";
import { OutgoingCall, type OutgoingCallInit } from "./outgoing-call.ts";
import { LazyUnaryResponse } from "./responses.ts";

/** One request, one response: a promise of the latter. */
export class UnaryCall extends OutgoingCall {
  private readonly request: Message;
  private readonly resolve: (response: UnaryResponse | Promise<never>) => void;
  private response: Message | Promise<Message> | undefined = undefined;

  constructor(
    calls: CallContext,
    method: DescMethodUnary,
    init: OutgoingCallInit,
    request: Message,
    resolve: (response: UnaryResponse | Promise<never>) => void,
  ) {
    super(calls, method, init);
    this.request = request;
    this.resolve = resolve;
  }

  protected takeHead(): void {}

  protected sendMore(): void {}

  protected prepareAttempt(): void {}

  protected forgetRequests(): void {}

  protected takeMessage(message: Message | Promise<Message>): void {
    if (this.response === undefined) {
      this.response = message;
    } else {
      this.cancel(new ConnectError("the server sent more than one response message", Code.Unimplemented));
    }
  }

  protected sendRequests(attempt: Attempt): void {
    const sent = attempt.send(this.request, true);
    if (sent instanceof Promise) sent.catch((error) => this.cancel(ConnectError.from(error, Code.Internal)));
  }

  protected settle(error: ConnectError | undefined): void {
    const { response } = this;
    if (error !== undefined) this.resolve(rejectToCaller(error));
    else if (response === undefined) {
      const reason = new ConnectError("the server sent a status of OK without a response message", Code.Unimplemented);
      this.resolve(rejectToCaller(reason));
    } else if (response instanceof Promise) {
      response.then(
        (message) => this.resolve(this.makeResponse(message)),
        (reason) => this.resolve(rejectToCaller(ConnectError.from(reason, Code.Internal))),
      );
    } else {
      this.resolve(this.makeResponse(response));
    }
  }

  private makeResponse(message: Message): UnaryResponse {
    return new LazyUnaryResponse(this.attempt, message);
  }
}
