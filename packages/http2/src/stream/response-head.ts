import type { HeaderBlock } from "../hpack/index.ts";
import { checkRegularFields, parseDigits, pseudoEntries } from "./header-rules.ts";

/** What a response opens with (RFC 9113 §8.3.2). Shared by responses that sent the same bytes. */
export class ResponseHead {
  readonly status: number;
  /** Everything but `:status`: name, value, name, value … */
  readonly fields: readonly string[];
  /** -1 when the response does not say. */
  readonly contentLength: number;
  /** For the layer above: what it derived from this head, so that it is derived once. */
  memo: unknown = undefined;

  constructor(status: number, fields: readonly string[], contentLength: number) {
    this.status = status;
    this.fields = fields;
    this.contentLength = contentLength;
  }
}

/** Fields after the body (§8.1). Shared like heads. */
export class Trailers {
  readonly fields: readonly string[];
  /** For the layer above, as in a head. */
  memo: unknown = undefined;

  constructor(fields: readonly string[]) {
    this.fields = fields;
  }
}

/** The head in a block, or what makes the response malformed. */
export function responseHead(block: HeaderBlock): ResponseHead | string {
  if (block.memo instanceof ResponseHead) return block.memo;
  const parsed = parse(block.fields);
  if (typeof parsed !== "string") block.memo = parsed;
  return parsed;
}

/** The trailers in a block, or what makes them malformed. */
export function trailers(block: HeaderBlock): Trailers | string {
  if (block.memo instanceof Trailers) return block.memo;
  const checked = checkRegularFields(block.fields);
  if (typeof checked === "string") return checked;
  const made = new Trailers(block.fields);
  block.memo = made;
  return made;
}

function parse(fields: readonly string[]): ResponseHead | string {
  const pseudo = pseudoEntries(fields);
  if (pseudo !== 2 || fields[0] !== ":status") return "a response has pseudo-header fields other than one :status";
  const text = fields[1] as string;
  const status = text.length === 3 ? parseDigits(text) : -1;
  if (status < 100) return ":status is not three digits";
  const regular = fields.slice(pseudo);
  const contentLength = checkRegularFields(regular);
  if (typeof contentLength === "string") return contentLength;
  return new ResponseHead(status, regular, contentLength);
}
