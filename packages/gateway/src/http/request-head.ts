import { METHODS } from "node:http";
import { type HeaderBlock, type HeadProblem, parseHeaderBlock } from "./header-block.ts";
import { maxHeadBytes } from "./http1-limits.ts";

/** The head of a request over HTTP/1.1. */
export interface RequestHead {
  readonly method: string;
  readonly target: string;
  readonly version: "1.0" | "1.1";
  readonly block: HeaderBlock;
}

/** As Node knows them. A client that asks for a tunnel has taken the server for a proxy. */
const methods: ReadonlySet<string> = new Set(METHODS.filter((method) => method !== "CONNECT"));

/** RFC 9110 §5.6.2. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** A path, or what OPTIONS asks of the whole server. Whole URLs are for proxies: of two hosts, one could be meant for each program on the way. */
const targetPattern = /^(?:\/[\x21-\x7e]*|\*)$/;
const otherVersion = /^HTTP\/[0-9]\.[0-9]\r\n/;

/** Longer blocks are not remembered, because idle connections hold what they remember. */
const maxRecalledLength = 2048;

/**
 * Reads the heads of a connection's requests. Most clients send the same header fields with each request, so that they are recalled and not parsed
 * where they are the same, character by character.
 */
export class HeadReader {
  #recalledText = "";
  #recalledVersion = "";
  #recalled: HeaderBlock | undefined = undefined;

  /** @param text a head with the empty line at its end, a character for each byte */
  read(text: string): RequestHead | HeadProblem {
    const methodEnd = text.indexOf(" ");
    const targetEnd = text.indexOf(" ", methodEnd + 1);
    if (methodEnd < 1 || targetEnd === -1) return badLine;
    const method = text.slice(0, methodEnd);
    const isKnown = methods.has(method);
    if (!isKnown && !token.test(method)) return badLine;
    if (method === "CONNECT") return noTunnels;
    const target = text.slice(methodEnd + 1, targetEnd);
    if (!targetPattern.test(target)) return badLine;
    const versionStart = targetEnd + 1;
    const isCurrent = text.startsWith("HTTP/1.1\r\n", versionStart);
    if (!isCurrent && !text.startsWith("HTTP/1.0\r\n", versionStart)) {
      return otherVersion.test(text.slice(versionStart, versionStart + 10)) ? unknownVersion : badLine;
    }
    // RFC 9110 §9.1: of a line that is in order, a method that the server does not know.
    if (!isKnown) return unknownMethod;
    const version = isCurrent ? "1.1" : "1.0";
    const block = this.#readBlock(text.slice(versionStart + 10), version);
    return "problem" in block ? block : { method, target, version, block };
  }

  #readBlock(text: string, version: "1.0" | "1.1"): HeaderBlock | HeadProblem {
    if (this.#recalled !== undefined && text === this.#recalledText && version === this.#recalledVersion) {
      return this.#recalled;
    }
    const block = parseHeaderBlock(text, version);
    if ("problem" in block || text.length > maxRecalledLength) return block;
    this.#recalledText = text;
    this.#recalledVersion = version;
    this.#recalled = block;
    return block;
  }
}

/** A line end without its other half, or a character that no head has. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it looks for them.
const neverInHead = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|(?:^|[^\r])\n|\r[^\n]/;

/** Why there is no use in waiting for the rest of a head, of which this has come since it was asked last. Undefined where there is. */
export function findPartialProblem(text: string): HeadProblem | undefined {
  return neverInHead.test(text) ? { status: 400, problem: "not HTTP/1.1" } : undefined;
}

export const headTooLarge: HeadProblem = { status: 431, problem: `a head over ${maxHeadBytes} bytes` };
const badLine: HeadProblem = { status: 400, problem: "invalid request line" };
const unknownVersion: HeadProblem = { status: 505, problem: "expected HTTP/1.1" };
const unknownMethod: HeadProblem = { status: 501, problem: "unknown method" };
const noTunnels: HeadProblem = { status: 501, problem: "CONNECT is not served" };
