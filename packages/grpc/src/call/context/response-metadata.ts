import type { ContextValues } from "@connectrpc/connect";
import type { MetadataInit } from "../../protocol/metadata.ts";

/** The metadata that a handler sends with its messages. */
export interface ResponseMetadata {
  /** Headers as the application set them; undefined until it reads them. */
  readonly givenHeader: Headers | undefined;
  /** Headers that are fit to be sent: name, value, name, value, … Only without `givenHeader`. */
  readonly plainHeader: readonly string[] | undefined;
  givenTrailer: MetadataInit | undefined;
  /** The call's values, which say whether to compress; undefined until they are first read. */
  readonly givenValues: ContextValues | undefined;
  /** Whether the response has headers to send; does not create any. */
  readonly hasResponseHeader: boolean;
}
