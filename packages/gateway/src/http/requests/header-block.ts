import { maxFields } from "../http1-limits.ts";

/** Why a request head is rejected. The connection ends with it, because the start of the next request is unknown. */
export interface HeadProblem {
  readonly status: 400 | 408 | 417 | 431 | 501 | 505;
  readonly problem: string;
}

/** The header fields of a request, and their meaning for its body and connection. */
export interface HeaderBlock {
  /** Name, value, name, value, …; names are in lower case. */
  readonly fields: readonly string[];
  /** The field `host`; undefined if it is missing or empty. */
  readonly authority: string | undefined;
  readonly isChunked: boolean;
  /** 0 also for a chunked body. */
  readonly contentLength: number;
  readonly asksToClose: boolean;
  readonly asksToKeepAlive: boolean;
  /** Whether the client waits for 100 Continue before it sends the body. */
  readonly awaitsContinue: boolean;
  readonly isForWebSocket: boolean;
}

/** Fields that each end with CR LF, and an empty line. No folded lines, no blanks before a colon, no control characters (RFC 9112 §5). */
const blockPattern = /^(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*\r\n)*\r\n$/;
const hostPattern = /^(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?$/;
const lengthPattern = /^[0-9]{1,15}$/;

/**
 * Parses header fields. Everything that proxies may interpret differently is rejected, because a client could smuggle one request in another
 * (RFC 9112 §11.2).
 *
 * @param block the fields and the empty line after them, with one character for each byte
 */
export function parseHeaderBlock(block: string, version: "1.0" | "1.1"): HeaderBlock | HeadProblem {
  if (!blockPattern.test(block)) return refuse("invalid header field");
  const fields: string[] = [];
  const seen = new FramingFields();
  const last = block.length - 2;
  for (let at = 0; at < last; ) {
    if (fields.length === 2 * maxFields) return { status: 431, problem: `more than ${maxFields} header fields` };
    const colon = block.indexOf(":", at);
    const end = block.indexOf("\r\n", colon);
    const name = block.slice(at, colon).toLowerCase();
    const value = trim(block, colon + 1, end);
    fields.push(name, value);
    // Some programs do not treat a tab as a blank, and these fields must have only one meaning.
    const isBlankOdd = block.charCodeAt(end - 1) === 0x09 || block.charCodeAt(colon + 1) === 0x09;
    if (isBlankOdd && (name === "transfer-encoding" || name === "content-length")) return refuse(`a tab in ${name}`);
    seen.add(name, value);
    at = end + 2;
  }
  return seen.findProblem(version) ?? seen.describe(fields);
}

/** The fields of a head that determine the end of its body and the state of the connection. */
class FramingFields {
  #hosts = 0;
  #host = "";
  #lengths = 0;
  #length = "";
  #codings = 0;
  #coding = "";
  #connection = "";
  #upgrade = "";
  #expect: string | undefined = undefined;

  add(name: string, value: string): void {
    switch (name) {
      case "host":
        this.#hosts++;
        this.#host = value;
        break;
      case "content-length":
        this.#lengths++;
        this.#length = value;
        break;
      case "transfer-encoding":
        this.#codings++;
        this.#coding = value.toLowerCase();
        break;
      case "connection":
        this.#connection += `,${value.toLowerCase()}`;
        break;
      case "upgrade":
        this.#upgrade = value.toLowerCase();
        break;
      case "expect":
        this.#expect = value.toLowerCase();
        break;
    }
  }

  findProblem(version: "1.0" | "1.1"): HeadProblem | undefined {
    if (this.#hosts > 1) return refuse("duplicate host");
    if (this.#hosts === 0 && version !== "1.0") return refuse("missing host");
    if (!hostPattern.test(this.#host)) return refuse("invalid host");
    if (this.#lengths > 1) return refuse("duplicate content-length");
    if (this.#lengths === 1 && !lengthPattern.test(this.#length)) return refuse("invalid content-length");
    if (this.#expect !== undefined && this.#expect !== "100-continue")
      return { status: 417, problem: "unknown expectation" };
    if (this.#codings === 0) return undefined;
    if (this.#codings > 1) return refuse("duplicate transfer-encoding");
    if (this.#lengths > 0) return refuse("content-length with transfer-encoding");
    if (version === "1.0") return refuse("transfer-encoding in HTTP/1.0");
    return this.#coding === "chunked" ? undefined : refuse("a transfer-encoding other than chunked");
  }

  describe(fields: readonly string[]): HeaderBlock {
    const options = this.#connection === "" ? [] : this.#connection.split(",").map((one) => one.trim());
    return {
      fields,
      authority: this.#host === "" ? undefined : this.#host,
      isChunked: this.#codings === 1,
      contentLength: this.#lengths === 1 ? Number(this.#length) : 0,
      asksToClose: options.includes("close"),
      asksToKeepAlive: options.includes("keep-alive"),
      awaitsContinue: this.#expect !== undefined,
      isForWebSocket: this.#upgrade === "websocket" && options.includes("upgrade"),
    };
  }
}

/** Returns the text without blanks at its ends. */
function trim(text: string, start: number, end: number): string {
  let from = start;
  let to = end;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function refuse(problem: string): HeadProblem {
  return { status: 400, problem };
}
