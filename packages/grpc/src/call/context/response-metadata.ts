import type { ContextValues } from "@connectrpc/connect";
import type { MetadataInit } from "../../protocol/metadata.ts";

/** What a handler wants to be sent besides its messages, as far as it has said so. */
export interface ResponseMetadata {
  /** Headers as the application made them; undefined while it has not asked. */
  readonly givenHeader: Headers | undefined;
  /** Headers that are fit to be sent: name, value, name, value, … Only where there is no `givenHeader`. */
  readonly plainHeader: readonly string[] | undefined;
  givenTrailer: MetadataInit | undefined;
  /** The call's values, asked whether to compress; undefined while no one has asked for them. */
  readonly givenValues: ContextValues | undefined;
  /** Whether there are headers to send, asked without making any. */
  readonly hasResponseHeader: boolean;
}
