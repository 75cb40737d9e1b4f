import type { GatewayHost, MethodHandler } from "@tercel/grpc/protocols";
import type { Responder } from "./responder.ts";

/** A method and the server that has it. */
export interface ServedMethod {
  readonly host: GatewayHost;
  readonly handler: MethodHandler;
}

/** Serves the calls that come with one head: what follows from that was decided once. */
export interface CallServer {
  /** False: the head is refused, each time with an error of its own. */
  readonly isUsable: boolean;
  /** Sets the exchange's listener before it returns. */
  serve(responder: Responder): void;
}
