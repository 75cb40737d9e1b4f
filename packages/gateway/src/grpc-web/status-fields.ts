import type { ConnectError } from "@connectrpc/connect";
import { appendStatusTrailers, appendTrailerMetadata, type ResponseMetadata } from "@tercel/grpc/protocols";

/** The flag of the message with the trailers. */
export const trailerFlag = 0x80;

/** Returns the trailers of a call: its status, and those that the handler has set. */
export function statusFields(error: ConnectError | undefined, metadata?: ResponseMetadata): string[] {
  const fields: string[] = [];
  appendStatusTrailers(fields, error);
  if (metadata?.givenTrailer !== undefined) appendTrailerMetadata(fields, metadata.givenTrailer);
  return fields;
}
