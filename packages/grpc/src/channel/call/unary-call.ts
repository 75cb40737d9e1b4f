import { Code, ConnectError } from "@connectrpc/connect";
import { rejectToCaller } from "../../call/caller-stack.ts";
import type { Attempt } from "./attempt.ts";
import type { CallContext } from "./call-context.ts";
import type { MethodPlan } from "./method-plans.ts";
import { OutgoingCall, type OutgoingCallInit } from "./outgoing-call.ts";

/** One request, one response: a promise of the latter. */
export class UnaryCall extends OutgoingCall {
  private readonly request: object;
  private readonly resolve: (response: object | Promise<never>) => void;
  private response: object | Promise<object> | undefined = undefined;

  constructor(
    calls: CallContext,
    plan: MethodPlan,
    init: OutgoingCallInit,
    request: object,
    resolve: (response: object | Promise<never>) => void,
  ) {
    super(calls, plan, init);
    this.request = request;
    this.resolve = resolve;
  }

  protected takeHead(): void {}

  protected sendMore(): void {}

  protected prepareAttempt(): void {}

  protected forgetRequests(): void {}

  protected takeMessage(message: object | Promise<object>): void {
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

  private makeResponse(message: object): object {
    return this.plan.responses.unary(this.attempt, message);
  }
}
