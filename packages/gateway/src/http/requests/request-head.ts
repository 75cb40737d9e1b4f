import { METHODS } from "node:http";
import type { HttpRequestHead } from "@tercel/grpc/protocols";
import { maxHeadBytes } from "../http1-limits.ts";
import { type HeaderBlock, type HeadProblem, parseHeaderBlock } from "./header-block.ts";

/** The head of an HTTP/1.1 request. */
export interface RequestHead {
  readonly method: string;
  readonly target: string;
  readonly version: "1.0" | "1.1";
  readonly block: HeaderBlock;
  /** The head in the form of exchanges, shared by all requests with this head; undefined before the first. */
  exchangeHead: HttpRequestHead | undefined;
}

/** The methods that Node knows, except CONNECT, which is for proxies. */
const methods: ReadonlySet<string> = new Set(METHODS.filter((method) => method !== "CONNECT"));

/** RFC 9110 §5.6.2. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** A path, or `*` for OPTIONS of the whole server. Absolute URLs are for proxies, and their host could contradict the field `host`. */
const targetPattern = /^(?:\/[\x21-\x7e]*|\*)$/;
const otherVersion = /^HTTP\/[0-9]\.[0-9]\r\n/;

/** Longer heads are not cached, because idle connections keep their cache. */
const maxRecalledLength = 2048;

/**
 * Parses the heads of a connection's requests. Many clients repeat the same head, and most the same header fields, so both are cached and not parsed
 * again if they are identical.
 */
export class HeadReader {
  #recalledText = "";
  #recalled: RequestHead | undefined = undefined;
  /** The start of the fields in the cached head. */
  #fieldsStart = 0;

  /** @param text a head including the empty line at its end, with one character for each byte. Equal texts may return the same object */
  read(text: string): RequestHead | HeadProblem {
    return this.#recalled !== undefined && text === this.#recalledText ? this.#recalled : this.#parse(text);
  }

  #parse(text: string): RequestHead | HeadProblem {
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
    // 501 for an unknown method in a valid request line (RFC 9110 §9.1).
    if (!isKnown) return unknownMethod;
    const version = isCurrent ? "1.1" : "1.0";
    const fieldsStart = versionStart + 10;
    const block = this.#readBlock(text.slice(fieldsStart), version);
    if ("problem" in block) return block;
    const head: RequestHead = { method, target, version, block, exchangeHead: undefined };
    if (text.length <= maxRecalledLength) {
      this.#recalledText = text;
      this.#recalled = head;
      this.#fieldsStart = fieldsStart;
    }
    return head;
  }

  #readBlock(text: string, version: "1.0" | "1.1"): HeaderBlock | HeadProblem {
    const recalled = this.#recalled;
    const isSame = recalled?.version === version && this.#recalledText.slice(this.#fieldsStart) === text;
    return isSame ? recalled.block : parseHeaderBlock(text, version);
  }
}

/** A CR or LF without the other, or an invalid character. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it looks for them.
const neverInHead = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|(?:^|[^\r])\n|\r[^\n]/;

/** Returns the problem if the new part of an incomplete head is already invalid. */
export function findPartialProblem(text: string): HeadProblem | undefined {
  return neverInHead.test(text) ? { status: 400, problem: "not HTTP/1.1" } : undefined;
}

export const headTooLarge: HeadProblem = { status: 431, problem: `request head larger than ${maxHeadBytes} bytes` };
const badLine: HeadProblem = { status: 400, problem: "invalid request line" };
const unknownVersion: HeadProblem = { status: 505, problem: "expected HTTP/1.1" };
const unknownMethod: HeadProblem = { status: 501, problem: "unknown method" };
const noTunnels: HeadProblem = { status: 501, problem: "CONNECT is not supported" };
