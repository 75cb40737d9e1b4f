import type { ContextValues } from "@connectrpc/connect";
import { compressionForMessage } from "../call/compress-messages.ts";
import type { MethodDefinition } from "../call/method-definition.ts";
import type { ClientCallSettings } from "./client-call-settings.ts";
import { isWorthIt, tooLargeToSend } from "./send-message.ts";

/** A request message as it goes out, kept so that it can go out again. */
export interface EncodedMessage {
  readonly payload: Uint8Array;
  readonly isCompressed: boolean;
}

/**
 * A request message as it will go out, for those that may have to send it more than once.
 * Throws when the message cannot be encoded or is over the limit.
 */
export function encodeRequest(
  settings: ClientCallSettings,
  method: MethodDefinition,
  message: object,
  contextValues: ContextValues | undefined,
): EncodedMessage | Promise<EncodedMessage> {
  const bytes = encodeWithinLimit(settings, method, message);
  const { sendCompression, compressMinBytes } = settings;
  const compression = compressionForMessage(sendCompression, bytes.length, compressMinBytes, contextValues);
  if (compression === undefined) return { payload: bytes, isCompressed: false };
  const smaller = (compressed: Uint8Array): EncodedMessage =>
    isWorthIt(bytes, compressed)
      ? { payload: compressed, isCompressed: true }
      : { payload: bytes, isCompressed: false };
  const payload = compression.compress(bytes);
  return payload instanceof Promise ? payload.then(smaller) : smaller(payload);
}

/** Throws when the message cannot be encoded or is over the limit. */
export function encodeWithinLimit(settings: ClientCallSettings, method: MethodDefinition, message: object): Uint8Array {
  const bytes = method.request.encode(message);
  if (bytes.length > settings.maxSendMessageBytes) throw tooLargeToSend(bytes.length, settings.maxSendMessageBytes);
  return bytes;
}
