import { PreparedHeaders } from "@tercel/http2";
import { type Compression, formatAcceptEncoding } from "../protocol/compression.ts";
import { formatContentType, type MessageFormat } from "../protocol/content-type.ts";
import { findField } from "../protocol/find-field.ts";
import { appendMetadata, type MetadataInit, type OnDropped } from "../protocol/metadata.ts";
import { formatTimeout } from "../protocol/timeout.ts";
import { userAgent } from "../protocol/user-agent.ts";

export interface RequestHeadSettings {
  readonly scheme: "http" | "https";
  readonly authority: string;
  readonly format: MessageFormat;
  readonly sendCompression: Compression | undefined;
  readonly compressions: readonly Compression[];
  /** Put before our own name in `user-agent`. */
  readonly userAgentPrefix: string | undefined;
}

/** So many methods are enough for any client of its own, and a proxy calls what others name. */
const maxHeads = 1000;

/** The part of each method's request head that is the same in every call, encoded once per connection. */
export class RequestHeads {
  private readonly settings: RequestHeadSettings;
  private readonly byPath = new Map<string, PreparedHeaders>();

  constructor(settings: RequestHeadSettings) {
    this.settings = settings;
  }

  /** In the order that gRPC over HTTP/2 gives, which some proxies rely on. */
  of(path: string): PreparedHeaders {
    let prepared = this.byPath.get(path);
    if (prepared === undefined) {
      prepared = new PreparedHeaders(this.fields(path));
      if (this.byPath.size >= maxHeads) this.byPath.clear();
      this.byPath.set(path, prepared);
    }
    return prepared;
  }

  private fields(path: string): string[] {
    const { scheme, authority, format, sendCompression, compressions, userAgentPrefix } = this.settings;
    const fields = [":method", "POST", ":scheme", scheme, ":path", path];
    fields.push(":authority", authority, "te", "trailers", "content-type", formatContentType(format));
    if (sendCompression !== undefined) fields.push("grpc-encoding", sendCompression.name);
    const acceptEncoding = formatAcceptEncoding(compressions);
    if (acceptEncoding !== "") fields.push("grpc-accept-encoding", acceptEncoding);
    fields.push("user-agent", userAgentPrefix === undefined ? userAgent : `${userAgentPrefix} ${userAgent}`);
    return fields;
  }
}

const none: readonly string[] = [];

/** What a call adds to its method's head. Throws a ConnectError for metadata that gRPC cannot carry. */
export function callFields(
  timeoutMs: number | undefined,
  metadata: MetadataInit | undefined,
  onDropped?: OnDropped,
): readonly string[] {
  if (timeoutMs === undefined && metadata === undefined) return none;
  const fields: string[] = timeoutMs === undefined ? [] : ["grpc-timeout", formatTimeout(timeoutMs)];
  if (metadata !== undefined) {
    const error = appendMetadata(fields, metadata, onDropped);
    if (error !== undefined) throw error;
  }
  return fields;
}

/** The fields of a call of which less time is left than `callFields` has written. */
export function replaceTimeout(fields: readonly string[], leftMs: number): readonly string[] {
  const timeout = formatTimeout(leftMs);
  return fields[0] === "grpc-timeout"
    ? ["grpc-timeout", timeout, ...fields.slice(2)]
    : ["grpc-timeout", timeout, ...fields];
}

/** The fields of a call of which one attempt has metadata of its own. Throws a ConnectError for what gRPC cannot carry. */
export function replaceMetadata(
  fields: readonly string[],
  metadata: MetadataInit,
  onDropped?: OnDropped,
): readonly string[] {
  const own: string[] = [];
  const error = appendMetadata(own, metadata, onDropped);
  if (error !== undefined) throw error;
  const replaced: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string;
    if (findField(own, name) === -1) replaced.push(name, fields[at + 1] as string);
  }
  replaced.push(...own);
  return replaced;
}
