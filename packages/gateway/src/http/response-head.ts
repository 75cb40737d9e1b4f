import { STATUS_CODES } from "node:http";
import type { PreparedHead } from "@tercel/grpc/protocols";

/** How the end of a response body is marked (RFC 9112 §6.3). */
export type BodyFraming = "none" | "length" | "undecided" | "chunked" | "close";

/** The head of a response without its framing fields, and the known facts about its body. */
export interface ResponseHead {
  readonly text: string;
  readonly framing: BodyFraming;
  /** The length of the body if the framing is "length". */
  readonly contentLength: number;
}

const unfitValue = /[^\t\x20-\x7e\x80-\xff]/;
const fitName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

/** Fields that only this module writes, depending on the body. */
const ofFraming: ReadonlySet<string> = new Set(["transfer-encoding", "keep-alive", "trailer"]);

/** The request of a response. */
export interface AnsweredRequest {
  readonly method: string;
  readonly version: "1.0" | "1.1";
}

/**
 * Formats the head of a response.
 *
 * @param isLast whether the connection ends after this response
 * @throws TypeError for a field with an invalid character, such as a line break
 */
export function formatResponseHead(
  request: AnsweredRequest,
  status: number,
  fields: readonly string[],
  isLast: boolean,
): ResponseHead {
  return complete(request, status, statusLine(status) + linesOf(fields), { fields, isLast });
}

/** As `formatResponseHead`, for a head that is sent repeatedly: only the added fields are formatted again. */
export function formatPreparedHead(
  request: AnsweredRequest,
  head: PreparedHead,
  added: readonly string[],
  isLast: boolean,
): ResponseHead {
  head.http1Text ??= statusLine(head.status) + linesOf(head.fields);
  return complete(request, head.status, head.http1Text + linesOf(added), { fields: added, isLast });
}

/** Completes the head. `fields` are those that may include `content-length`. */
function complete(
  request: AnsweredRequest,
  status: number,
  lines: string,
  { fields, isLast }: { readonly fields: readonly string[]; readonly isLast: boolean },
): ResponseHead {
  const contentLength = announcedLength(fields);
  const text = lines + dateLine() + (isLast ? "connection: close\r\n" : "");
  return { text, framing: framingOf(request, status, contentLength), contentLength };
}

function linesOf(fields: readonly string[]): string {
  let text = "";
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string;
    const value = fields[at + 1] as string;
    if (!fitName.test(name) || unfitValue.test(value)) {
      throw new TypeError(`invalid character in the header field ${JSON.stringify(name)}`);
    }
    if (!ofFraming.has(name)) text += `${name}: ${value}\r\n`;
  }
  return text;
}

/** Returns the `content-length`; -1 without one. */
function announcedLength(fields: readonly string[]): number {
  let length = -1;
  for (let at = 0; at < fields.length; at += 2) {
    if (fields[at] === "content-length") length = Number(fields[at + 1]);
  }
  return length;
}

function framingOf({ method, version }: AnsweredRequest, status: number, contentLength: number): BodyFraming {
  if (method === "HEAD" || status === 204 || status === 304) return "none";
  if (contentLength >= 0) return "length";
  return version === "1.0" ? "close" : "undecided";
}

const statusLines = new Map<number, string>();

function statusLine(status: number): string {
  let line = statusLines.get(status);
  if (line === undefined) {
    line = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Unknown"}\r\n`;
    // At most 900 entries: statuses have three digits.
    if (status >= 100 && status <= 999) statusLines.set(status, line);
  }
  return line;
}

let dateText = "";
let dateSecond = -1;

/** Returns the date field, which is formatted once a second. */
function dateLine(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = `date: ${new Date(second * 1000).toUTCString()}\r\n`;
  }
  return dateText;
}
