import { type ContextKey, type ContextValues, createContextKey } from "@connectrpc/connect";
import type { Compression } from "../../protocol/compression.ts";

/**
 * Whether messages that are sent from now on are compressed: `true` all of them, whatever their size, `false` none,
 * `undefined` (the default) those of at least `compressMinBytes`. A message that would not become smaller goes as it is all
 * the same. It counts only where an encoding was agreed on: on a channel by `sendCompression`, on a server by what the client
 * accepts.
 *
 * A handler sets it on `context.values`, a caller in a call's `contextValues`, once or before each message of a stream. Use it
 * for what is compressed already, and for answers that hold a secret next to text of the client's choosing, where the size
 * alone would give the secret away (the attack named CRIME; gRPC compression, "Specification").
 */
export const compressMessages: ContextKey<boolean | undefined> = createContextKey<boolean | undefined>(undefined, {
  description: "compress messages",
});

/** The encoding for one message, or undefined to send it as it is. */
export function compressionForMessage(
  agreed: Compression | undefined,
  bytes: number,
  minBytes: number,
  values: ContextValues | undefined,
): Compression | undefined {
  if (agreed === undefined) return undefined;
  return (values?.get(compressMessages) ?? bytes >= minBytes) ? agreed : undefined;
}
