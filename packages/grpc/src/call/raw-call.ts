import type { ContextValues } from "@connectrpc/connect";
import type { RpcStatus } from "../protocol/rpc-status.ts";
import type { ClientTls } from "./context/call-info.ts";

/**
 * Metadata as it travels: name, value, name, value, … Names are in lower case, values of names that end in "-bin" are base64. What was received
 * is without the fields that carry the call itself, so that it may be sent on.
 */
export type RawMetadata = readonly string[];

/** The options of a call. */
export interface RawCallOptions {
  /** Request metadata. Names that gRPC writes itself are left out. Default: none. */
  readonly metadata?: RawMetadata;
  /** Milliseconds from now. Default: the channel's `defaultTimeoutMs`; 0 or less: no deadline. */
  readonly timeoutMs?: number;
  /** Ends the call with Canceled. */
  readonly signal?: AbortSignal;
  /** For `waitForReady`, `keepsProcessAlive` and `compressMessages`. */
  readonly contextValues?: ContextValues;
}

/** The response of a method that answers with one message. */
export interface RawUnaryResponse {
  readonly metadata: RawMetadata;
  readonly message: Uint8Array;
  /** Code 0, and the other fields of the trailers. */
  readonly status: RpcStatus;
}

/** A response that has begun. */
export interface RawStreamResponse {
  readonly metadata: RawMetadata;
  /** Each message is the receiver's to keep. Throws the call's error where it does not end with OK; leaving the loop ends the call. */
  readonly messages: AsyncIterable<Uint8Array>;
  /** Resolves when the call is over, with OK too. Never rejects. */
  readonly status: Promise<RpcStatus>;
}

/**
 * Calls whose messages are bytes, by path: "/package.Service/Method". They are made as all calls of their channel are: name resolution,
 * balancing, service config with its retries, deadline, compression, limits. The channel's interceptors are not run: these know a method by its
 * descriptor.
 *
 * `requests` are sent as they are and not changed; do not change them before the call is over.
 */
export interface RawCalls {
  /**
   * Sends one request and resolves with the one response.
   *
   * @throws ConnectError (rejects); `statusOfError` returns its status as it came
   */
  unary(path: string, request: Uint8Array, options?: RawCallOptions): Promise<RawUnaryResponse>;
  /**
   * Sends requests as they come and resolves when the response begins. Whether one or more may come is for the server to say.
   *
   * @throws ConnectError (rejects) for a call that ends before it has a response
   */
  stream(
    path: string,
    requests: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    options?: RawCallOptions,
  ): Promise<RawStreamResponse>;
}

/** A call that a server received, as its handler sees it. */
export interface RawHandlerCall {
  /** "/package.Service/Method" */
  readonly path: string;
  readonly metadata: RawMetadata;
  /** Aborted when the call is over for the client, or ended. */
  readonly signal: AbortSignal;
  /** `host:port` of the client; undefined over Unix sockets and in memory. */
  readonly peerAddress: string | undefined;
  readonly peerTls: ClientTls | undefined;
  /** Milliseconds until the deadline, 0 when it has passed; undefined for a call without one. */
  remainingMs(): number | undefined;
  /**
   * Sends response metadata at once, before the first message would.
   *
   * @throws ConnectError for metadata that gRPC cannot carry, or that the client does not accept; Error when the head has been sent
   */
  sendMetadata(metadata: RawMetadata): void;
  /** Trailers sent after the status of a successful call. */
  setTrailer(metadata: RawMetadata): void;
}

interface RawLimits {
  /** Largest request message. Default: the server's `maxReceiveMessageBytes`. */
  readonly maxReceiveMessageBytes?: number;
  /** Largest response message. Default: the server's `maxSendMessageBytes`. */
  readonly maxSendMessageBytes?: number;
}

/**
 * A method whose messages are bytes. A request is the handler's to keep; a response is not changed and not to be changed. A handler ends a call
 * with any status by throwing `errorOfStatus(status)`; other errors count as in Connect's handlers.
 */
export type RawMethod =
  | (RawLimits & {
      readonly kind: "unary";
      handle(request: Uint8Array, call: RawHandlerCall): Uint8Array | Promise<Uint8Array>;
    })
  | (RawLimits & {
      readonly kind: "server_streaming";
      handle(request: Uint8Array, call: RawHandlerCall): AsyncIterable<Uint8Array>;
    })
  | (RawLimits & {
      readonly kind: "client_streaming";
      handle(requests: AsyncIterable<Uint8Array>, call: RawHandlerCall): Uint8Array | Promise<Uint8Array>;
    })
  | (RawLimits & {
      /** Any number of messages each way: with it a proxy serves methods of which it knows nothing. */
      readonly kind: "bidi_streaming";
      handle(requests: AsyncIterable<Uint8Array>, call: RawHandlerCall): AsyncIterable<Uint8Array>;
    });

/** The methods that a server serves as bytes, next to those of its `routes`, which come first. */
export interface RawMethods {
  /**
   * Returns the method at a path of the form "/package.Service/Method", or undefined: the client gets Unimplemented. Called when a request comes
   * whose head the connection does not know yet. What it throws ends that call with Internal.
   */
  find(path: string): RawMethod | undefined;
  /** Has to change whenever `find` may return something else for a path than before. Default: it never does. */
  readonly version?: number;
}
