import type { MethodDefinition } from "../../call/method-definition.ts";
import type { Codec } from "../../codec/index.ts";
import type { Compression } from "../../protocol/compression.ts";
import type { Clock } from "../../time/clock.ts";
import type { ReceiveSettings } from "../messages/message-receiver.ts";
import { MessageSender } from "../messages/message-sender.ts";

/** What all calls of a channel share. */
export interface ClientCallSettings {
  readonly codec: Codec;
  readonly compressions: readonly Compression[];
  readonly sendCompression: Compression | undefined;
  readonly compressMinBytes: number;
  readonly maxReceiveMessageBytes: number;
  readonly maxSendMessageBytes: number;
  readonly clock: Clock;
}

/** What all calls of one method share. */
export interface ClientCallPlan {
  readonly method: MethodDefinition;
  readonly settings: ClientCallSettings;
  readonly receive: ReceiveSettings;
  readonly sender: MessageSender;
}

export function planCalls(method: MethodDefinition, settings: ClientCallSettings): ClientCallPlan {
  const { sendCompression, compressMinBytes, maxReceiveMessageBytes, maxSendMessageBytes } = settings;
  return {
    method,
    settings,
    receive: { codec: method.response, maxMessageBytes: maxReceiveMessageBytes },
    sender: new MessageSender({
      codec: method.request,
      compression: sendCompression,
      compressMinBytes,
      maxMessageBytes: maxSendMessageBytes,
    }),
  };
}
