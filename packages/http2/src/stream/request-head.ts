import type { HeaderBlock } from "../hpack/index.ts";
import { checkRegularFields, pseudoEntries, valueError } from "./header-rules.ts";

/**
 * The head of a request (RFC 9113 §8.3.1). Requests that sent the same bytes share one head, so no one changes it.
 */
export class RequestHead {
  readonly method: string;
  readonly scheme: string;
  readonly authority: string | undefined;
  readonly path: string;
  /** Everything but the pseudo-header fields: name, value, name, value … */
  readonly fields: readonly string[];
  /** -1 when the request does not say. */
  readonly contentLength: number;
  /** For the layer above: what it derived from this head, so that it is derived once. */
  memo: unknown = undefined;

  constructor(
    method: string,
    scheme: string,
    authority: string | undefined,
    path: string,
    fields: readonly string[],
    contentLength: number,
  ) {
    this.method = method;
    this.scheme = scheme;
    this.authority = authority;
    this.path = path;
    this.fields = fields;
    this.contentLength = contentLength;
  }
}

/** The head in a block, or what makes the request malformed. Kept in `block.memo`, which a recalled block brings back. */
export function requestHead(block: HeaderBlock): RequestHead | string {
  if (block.memo instanceof RequestHead) return block.memo;
  const parsed = parse(block.fields);
  if (typeof parsed !== "string") block.memo = parsed;
  return parsed;
}

function parse(fields: readonly string[]): RequestHead | string {
  const pseudo = pseudoEntries(fields);
  let method: string | undefined;
  let scheme: string | undefined;
  let authority: string | undefined;
  let path: string | undefined;
  for (let i = 0; i < pseudo; i += 2) {
    const value = fields[i + 1] as string;
    const error = valueError(value);
    if (error !== undefined) return error;
    switch (fields[i]) {
      case ":method":
        if (method !== undefined) return "duplicate :method";
        method = value;
        break;
      case ":scheme":
        if (scheme !== undefined) return "duplicate :scheme";
        scheme = value;
        break;
      case ":authority":
        if (authority !== undefined) return "duplicate :authority";
        authority = value;
        break;
      case ":path":
        if (path !== undefined) return "duplicate :path";
        path = value;
        break;
      default:
        return `${(fields[i] as string).slice(0, 32)} is not a pseudo-header field of a request`;
    }
  }
  if (method === undefined || method === "") return ":method is missing";
  if (method === "CONNECT") {
    // §8.5: a CONNECT names only where to connect to.
    if (scheme !== undefined || path !== undefined || authority === undefined) return "a CONNECT request is malformed";
  } else {
    if (scheme === undefined || scheme === "") return ":scheme is missing";
    if (path === undefined || path === "") return ":path is missing";
  }
  const regular = fields.slice(pseudo);
  const contentLength = checkRegularFields(regular);
  if (typeof contentLength === "string") return contentLength;
  const host = regular[hostIndex(regular) + 1];
  // §8.3.1: a different host would let two hops see two different targets.
  if (host !== undefined && authority !== undefined && host !== authority) return "host and :authority differ";
  return new RequestHead(method, scheme ?? "", authority ?? host, path ?? "", regular, contentLength);
}

function hostIndex(fields: readonly string[]): number {
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === "host") return i;
  return fields.length;
}
