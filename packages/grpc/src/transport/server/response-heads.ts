import { PreparedHeaders } from "@tercel/http2";
import { type Compression, formatAcceptEncoding } from "../../protocol/compression.ts";
import { formatContentType, type MessageFormat } from "../../protocol/content-type.ts";

/** The constant header blocks of a server's responses, each encoded once per connection. */
export class ResponseHeads {
  /** Tells clients what they may compress with; part of refusals too (gRPC compression, "Specification"). */
  readonly acceptEncodingFields: readonly string[];
  private readonly prepared = new Map<string, PreparedHeaders>();

  constructor(compressions: readonly Compression[]) {
    const acceptEncoding = formatAcceptEncoding(compressions);
    this.acceptEncodingFields = acceptEncoding === "" ? [] : ["grpc-accept-encoding", acceptEncoding];
  }

  /** The head of a response that the application adds nothing to. */
  plain(format: MessageFormat, compression: Compression | undefined): PreparedHeaders {
    const key = compression === undefined ? format : `${format},${compression.name}`;
    let prepared = this.prepared.get(key);
    if (prepared === undefined) {
      prepared = new PreparedHeaders(this.fields(format, compression));
      this.prepared.set(key, prepared);
    }
    return prepared;
  }

  /** The same as a list of its own, to be added to. */
  fields(format: MessageFormat, compression: Compression | undefined): string[] {
    const fields = [":status", "200", "content-type", formatContentType(format)];
    if (compression !== undefined) fields.push("grpc-encoding", compression.name);
    fields.push(...this.acceptEncodingFields);
    return fields;
  }
}

/** Trailers of a call that went well. */
export const okTrailers = new PreparedHeaders(["grpc-status", "0"]);
