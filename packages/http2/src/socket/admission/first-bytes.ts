import { clientPreface } from "../../connection/settings/client-preface.ts";

const preface = Buffer.from(clientPreface, "latin1");

/** Of "PRI ", the method that is reserved for HTTP/2 (RFC 9113 §11.3). */
const reservedBytes = 4;

/** The longest method of IANA's registry has 17. */
const maxMethodBytes = 32;

/** RFC 9110 §9.3 and RFC 5789. What follows them is for the HTTP/1.1 server to judge. */
const usualMethods: readonly string[] = "GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH".split(" ");

const space = 0x20;
const slash = 0x2f;
const asterisk = 0x2a;

/** RFC 9110 §5.6.2: the characters of a token, by code. */
const isTokenByte: readonly boolean[] = Array.from({ length: 256 }, (_, code) =>
  /^[!#$%&'*+.^_`|~0-9A-Za-z-]$/.test(String.fromCharCode(code)),
);

export type FirstBytes = "http2" | "http1" | "unknown" | "more";

/**
 * Tells by its first bytes what a client speaks: the HTTP/2 preface (RFC 9113 §3.4), or a request line of HTTP/1.1, which begins with a token and a space
 * (RFC 9110 §9.1) and, for methods that are not usual, a path or `*`. "more" while both are still possible; "unknown" once neither is.
 */
export function classifyFirstBytes(bytes: Uint8Array): FirstBytes {
  const compared = Math.min(bytes.length, preface.length);
  let same = 0;
  while (same < compared && bytes[same] === preface[same]) same++;
  if (same === preface.length) return "http2";
  if (same === compared) return "more";
  // A broken preface.
  if (same >= reservedBytes) return "unknown";
  return classifyMethod(bytes);
}

function classifyMethod(bytes: Uint8Array): FirstBytes {
  let at = 0;
  while (at <= maxMethodBytes && isTokenByte[bytes[at] ?? space] === true) at++;
  if (at > maxMethodBytes) return "unknown";
  if (at === bytes.length) return "more";
  if (at === 0 || bytes[at] !== space) return "unknown";
  if (usualMethods.includes(Buffer.from(bytes.subarray(0, at)).toString("latin1"))) return "http1";
  // A text of another protocol, or a broken preface, begins with a word and a space as well.
  if (at + 1 === bytes.length) return "more";
  return bytes[at + 1] === slash || bytes[at + 1] === asterisk ? "http1" : "unknown";
}

export const prefaceBytes: number = preface.length;
