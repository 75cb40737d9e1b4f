import type { ConnectError } from "@connectrpc/connect";
import type { RawStreamResponse, RawUnaryResponse } from "../../call/raw-call.ts";
import { receivedMetadata } from "../../protocol/metadata.ts";
import { type RpcStatus, readRpcStatus } from "../../protocol/rpc-status.ts";
import { statusOfError } from "../../protocol/trailers.ts";
import type { ClientCall } from "../../transport/client/client-call.ts";
import type { OpenResponse, ResponseMaker } from "./responses.ts";

/** Responses of calls whose messages are bytes. */
export const rawResponses: ResponseMaker = {
  unary(call, message): RawUnaryResponse {
    return { metadata: receivedMetadata(call.headFields), message: message as Uint8Array, status: okStatus(call) };
  },
  stream: (call, messages) => new OpenRawResponse(call, messages as AsyncIterable<Uint8Array>),
};

class OpenRawResponse implements RawStreamResponse, OpenResponse {
  readonly metadata: readonly string[];
  readonly messages: AsyncIterable<Uint8Array>;
  readonly status: Promise<RpcStatus>;
  readonly #call: ClientCall;
  #resolve: (status: RpcStatus) => void = () => {};

  constructor(call: ClientCall, messages: AsyncIterable<Uint8Array>) {
    this.#call = call;
    this.metadata = receivedMetadata(call.headFields);
    this.messages = messages;
    this.status = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    // A status alone may be the whole response.
    if (call.isOver) this.complete(undefined);
  }

  complete(error: ConnectError | undefined): void {
    this.#resolve(error === undefined ? okStatus(this.#call) : statusOfError(error));
  }
}

function okStatus(call: ClientCall): RpcStatus {
  return readRpcStatus(call.trailerFields) ?? { code: 0, message: "", fields: [] };
}
