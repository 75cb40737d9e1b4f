import type { Codec } from "../codec/index.ts";
import type { Compression } from "../protocol/compression.ts";
import type { Clock } from "../time/clock.ts";

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
