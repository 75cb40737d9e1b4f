import { Code, ConnectError } from "@connectrpc/connect";
import { rejectToCaller } from "../../call/caller-stack.ts";
import type { Attempt } from "./attempt.ts";
import type { CallKind, CallOfKind } from "./call-kind.ts";

/** One request, one response: a promise of the latter. */
export class UnaryCall implements CallKind {
  private readonly request: object;
  private readonly resolve: (response: object | Promise<never>) => void;
  /** Set by `attach`. */
  private call!: CallOfKind;
  private response: object | Promise<object> | undefined = undefined;

  constructor(request: object, resolve: (response: object | Promise<never>) => void) {
    this.request = request;
    this.resolve = resolve;
  }

  attach(call: CallOfKind): void {
    this.call = call;
  }

  sendRequests(attempt: Attempt): void {
    const sent = attempt.send(this.request, true);
    if (sent instanceof Promise) sent.catch((error) => this.call.cancel(ConnectError.from(error, Code.Internal)));
  }

  onMessage(message: object | Promise<object>): void {
    if (this.response === undefined) {
      this.response = message;
    } else {
      this.call.cancel(new ConnectError("the server sent more than one response message", Code.Unimplemented));
    }
  }

  settle(error: ConnectError | undefined): void {
    const { response } = this;
    if (error !== undefined) this.resolve(rejectToCaller(error));
    else if (response === undefined) {
      const reason = new ConnectError("the server sent a status of OK without a response message", Code.Unimplemented);
      this.resolve(rejectToCaller(reason));
    } else if (response instanceof Promise) {
      response.then(
        (message) => this.respond(message),
        (reason) => this.resolve(rejectToCaller(ConnectError.from(reason, Code.Internal))),
      );
    } else {
      this.respond(response);
    }
  }

  private respond(message: object): void {
    const { plan, attempt } = this.call;
    this.resolve(plan.responses.unary(attempt, message));
  }
}
