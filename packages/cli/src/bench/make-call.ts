import type { DescMethod, DescMethodStreaming, DescMethodUnary, Message } from "@bufbuild/protobuf";
import { ConnectError, type Transport } from "@connectrpc/connect";
import { statusNames } from "@tercel/grpc/internal";

/** Makes a call and resolves when it has ended: to its error, or to undefined when it succeeded. Never rejects. */
export type MakeCall = () => Promise<CallFailure | undefined>;

export interface CallFailure {
  /** Name of its status: `UNAVAILABLE`. */
  readonly status: string;
  readonly message: string;
}

export interface CallSettings {
  readonly method: DescMethod;
  /** Messages to send, in rotation; a method that takes a stream gets all of them in each call. */
  readonly messages: readonly Message[];
  readonly headers: Headers;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Returns a function that makes one call. @param transports used in rotation */
export function createMakeCall(transports: readonly Transport[], settings: CallSettings): MakeCall {
  const { method, messages, headers, timeoutMs, signal } = settings;
  let number = 0;
  const isUnary = method.methodKind === "unary";
  const takesStream = method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming";

  return async () => {
    const at = number++;
    const transport = transports[at % transports.length] as Transport;
    const message = messages[at % messages.length] as Message;
    try {
      if (isUnary) {
        await transport.unary(method as DescMethodUnary, signal, timeoutMs, headers, message);
      } else {
        const sent = streamOf(takesStream ? messages : [message]);
        const response = await transport.stream(method as DescMethodStreaming, signal, timeoutMs, headers, sent);
        for await (const _ of response.message);
      }
      return undefined;
    } catch (error) {
      const { code, rawMessage } = ConnectError.from(error);
      return { status: statusNames[code] ?? "UNKNOWN", message: rawMessage };
    }
  };
}

async function* streamOf<T>(messages: readonly T[]): AsyncIterable<T> {
  yield* messages;
}
