import { maxFields, maxHeadBytes } from "../http1-limits.ts";

/** The maximum number of hexadecimal digits of a chunk size: enough for all messages, and small enough that other programs do not truncate it. */
const maxSizeDigits = 8;
/** The maximum size of all chunk extensions of a body. They are ignored, and a client could send them for each byte. */
const maxExtensionBytes = 4096;

const cr = 0x0d;
const lf = 0x0a;
const semicolon = 0x3b;
const colon = 0x3a;
const equals = 0x3d;
const quote = 0x22;
const backslash = 0x5c;

/** Data of chunks up to this size is moved to the data before it, so that many small chunks are passed on as one. */
const maxMovedBytes = 1024;

/** Fields that must not be trailers, because a program that merges trailers into the headers would interpret them (RFC 9110 §6.5.1). */
const neverTrailers: ReadonlySet<string> = new Set([
  ...["connection", "content-length", "host", "te", "trailer", "transfer-encoding", "upgrade"],
]);
const longestName = Math.max(...[...neverTrailers].map((name) => name.length));

type State =
  | "size"
  | "extension"
  | "extension name"
  | "extension value"
  | "extension token"
  | "extension quoted"
  | "extension escape"
  | "extension end"
  | "size line end"
  | "data"
  | "data CR"
  | "data LF"
  | "trailer"
  | "trailer name"
  | "trailer value"
  | "trailer line end"
  | "last LF"
  | "end";

/** Reads a chunked body (RFC 9112 §7.1), with any chunk boundaries of the socket. Trailers are checked and dropped. */
export class ChunkedReader {
  #state: State = "size";
  #size = 0;
  #digits = 0;
  #extensionBytes = 0;
  #trailerBytes = 0;
  #trailers = 0;
  #trailerName = "";

  /** Whether the whole body has been read. */
  get isComplete(): boolean {
    return this.#state === "end";
  }

  /**
   * Continues at `start` and passes on the data, for which it may overwrite other parts of `bytes`. Returns the position where it stopped: the end of
   * `bytes`, or the end of the body. Returns -1 for an invalid body, after which nothing can be read.
   */
  push(bytes: Uint8Array, start: number, onData: (data: Uint8Array) => void): number {
    let at = start;
    // The range of data that has not been passed on yet.
    let from = start;
    let to = start;
    while (at < bytes.length && this.#state !== "end") {
      if (this.#state === "data") {
        const end = Math.min(bytes.length, at + this.#size);
        this.#size -= end - at;
        if (this.#size === 0) this.#state = "data CR";
        if (from < to && end - at > maxMovedBytes) {
          onData(bytes.subarray(from, to));
          from = to;
        }
        if (from === to) {
          from = at;
          to = end;
        } else to = move(bytes, to, at, end);
        at = end;
        continue;
      }
      if (this.#state === "data CR" && bytes[at] === cr && bytes[at + 1] === lf) {
        this.#state = "size";
        at += 2;
        continue;
      }
      const next = this.#next(bytes[at] as number);
      if (next === undefined) {
        at = -1;
        break;
      }
      this.#state = next;
      at++;
    }
    if (from < to) onData(bytes.subarray(from, to));
    return at;
  }

  /** Returns the state after a byte that is not data; undefined for an invalid byte. */
  #next(byte: number): State | undefined {
    switch (this.#state) {
      case "size":
        return this.#readSize(byte);
      case "size line end":
        if (byte !== lf) return undefined;
        this.#digits = 0;
        return this.#size === 0 ? "trailer" : "data";
      case "data CR":
        return byte === cr ? "data LF" : undefined;
      case "data LF":
        return byte === lf ? "size" : undefined;
      case "last LF":
        return byte === lf ? "end" : undefined;
      case "trailer":
      case "trailer name":
      case "trailer value":
      case "trailer line end":
        return ++this.#trailerBytes <= maxHeadBytes ? this.#readTrailer(byte) : undefined;
      default:
        return ++this.#extensionBytes <= maxExtensionBytes ? this.#readExtension(byte) : undefined;
    }
  }

  #readSize(byte: number): State | undefined {
    const digit = hexDigit(byte);
    if (digit !== -1) {
      if (++this.#digits > maxSizeDigits) return undefined;
      this.#size = this.#size * 16 + digit;
      return "size";
    }
    if (this.#digits === 0) return undefined;
    if (byte === cr) return "size line end";
    return byte === semicolon ? "extension" : undefined;
  }

  /** Reads an extension: `;name`, `;name=token` or `;name="text"`, without blanks. */
  #readExtension(byte: number): State | undefined {
    switch (this.#state) {
      case "extension":
        return isToken(byte) ? "extension name" : undefined;
      case "extension name":
        if (byte === equals) return "extension value";
        return isToken(byte) ? "extension name" : endOfExtension(byte);
      case "extension value":
        if (byte === quote) return "extension quoted";
        return isToken(byte) ? "extension token" : undefined;
      case "extension token":
        return isToken(byte) ? "extension token" : endOfExtension(byte);
      case "extension quoted":
        if (byte === quote) return "extension end";
        if (byte === backslash) return "extension escape";
        return isText(byte) ? "extension quoted" : undefined;
      case "extension escape":
        return isText(byte) ? "extension quoted" : undefined;
      default:
        return endOfExtension(byte);
    }
  }

  #readTrailer(byte: number): State | undefined {
    switch (this.#state) {
      case "trailer":
        if (byte === cr) return "last LF";
        this.#trailerName = String.fromCharCode(byte);
        return isToken(byte) && ++this.#trailers <= maxFields ? "trailer name" : undefined;
      case "trailer name":
        if (byte === colon) return neverTrailers.has(this.#trailerName.toLowerCase()) ? undefined : "trailer value";
        if (this.#trailerName.length <= longestName) this.#trailerName += String.fromCharCode(byte);
        return isToken(byte) ? "trailer name" : undefined;
      case "trailer value":
        if (byte === cr) return "trailer line end";
        return isText(byte) ? "trailer value" : undefined;
      default:
        return byte === lf ? "trailer" : undefined;
    }
  }
}

/** Moves bytes to the earlier position `target`. Returns their new end. */
function move(bytes: Uint8Array, target: number, start: number, end: number): number {
  for (let at = start; at < end; at++) bytes[target++] = bytes[at] as number;
  return target;
}

/** After an extension, there must be another one, or the end of the line. */
function endOfExtension(byte: number): State | undefined {
  if (byte === cr) return "size line end";
  return byte === semicolon ? "extension" : undefined;
}

/** Returns the value of a hexadecimal digit; -1 for another character. */
function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** Whether a byte is allowed in a field value (RFC 9110 §5.5). */
function isText(byte: number): boolean {
  return byte === 0x09 || (byte >= 0x20 && byte !== 0x7f);
}

const tokens = new Uint8Array(256);
for (const char of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  tokens[char.charCodeAt(0)] = 1;
}

function isToken(byte: number): boolean {
  return tokens[byte] === 1;
}
