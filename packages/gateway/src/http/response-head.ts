import { STATUS_CODES } from "node:http";

/** How a response says where its body ends (RFC 9112 §6.3). */
export type BodyFraming = "none" | "length" | "undecided" | "chunked" | "close";

/** A response's head without the fields of its framing, and what is known of its body. */
export interface ResponseHead {
  readonly text: string;
  readonly framing: BodyFraming;
  /** Of the body, where the framing is "length". */
  readonly contentLength: number;
}

const unfitValue = /[^\t\x20-\x7e\x80-\xff]/;
const fitName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

/** These are written here alone, by what the body turns out to be. */
const ofFraming: ReadonlySet<string> = new Set(["transfer-encoding", "keep-alive", "trailer"]);

/**
 * Writes the head of a response.
 *
 * @param isLast the connection ends with it
 * @throws TypeError for a field that would end its line, or is not one
 */
export function formatResponseHead(
  request: { readonly method: string; readonly version: "1.0" | "1.1" },
  status: number,
  fields: readonly string[],
  isLast: boolean,
): ResponseHead {
  let text = statusLine(status);
  let contentLength = -1;
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string;
    const value = fields[at + 1] as string;
    if (!fitName.test(name) || unfitValue.test(value)) {
      throw new TypeError(`the header field ${JSON.stringify(name)} has a character that no field may have`);
    }
    if (ofFraming.has(name)) continue;
    if (name === "content-length") contentLength = Number(value);
    text += `${name}: ${value}\r\n`;
  }
  text += dateLine();
  if (isLast) text += "connection: close\r\n";
  return { text, framing: framingOf(request, status, contentLength), contentLength };
}

function framingOf(
  { method, version }: { readonly method: string; readonly version: "1.0" | "1.1" },
  status: number,
  contentLength: number,
): BodyFraming {
  if (method === "HEAD" || status === 204 || status === 304) return "none";
  if (contentLength >= 0) return "length";
  return version === "1.0" ? "close" : "undecided";
}

const statusLines = new Map<number, string>();

function statusLine(status: number): string {
  let line = statusLines.get(status);
  if (line === undefined) {
    line = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Unknown"}\r\n`;
    // Fewer than a thousand: three digits each.
    if (status >= 100 && status <= 999) statusLines.set(status, line);
  }
  return line;
}

let dateText = "";
let dateSecond = -1;

/** Made once a second. */
function dateLine(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = `date: ${new Date(second * 1000).toUTCString()}\r\n`;
  }
  return dateText;
}
