import type { GatewayHost, MethodHandler } from "@tercel/grpc/protocols";
import type { Responder } from "./responder.ts";

/** A method and its server. */
export interface ServedMethod {
  readonly host: GatewayHost;
  readonly handler: MethodHandler;
}

/** Serves the calls with equal request heads. Everything that depends on the head was computed once. */
export interface CallServer {
  /** False if calls with this head are rejected, each with a new error. */
  readonly isUsable: boolean;
  /** Sets the exchange's listener before it returns. */
  serve(responder: Responder): void;
}
