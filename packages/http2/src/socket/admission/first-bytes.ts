import { clientPreface } from "../../connection/settings/client-preface.ts";

const preface = Buffer.from(clientPreface, "latin1");

/** RFC 9110 §9 and the methods that HTTP/1.1 clients are known to send to servers like ours. */
const http1Methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/** The length of the longest method above, with the space after it. */
const maxMethodBytes = 8;

export type FirstBytes = "http2" | "http1" | "unknown" | "more";

/**
 * Tells by its first bytes what a client speaks: the HTTP/2 preface (RFC 9113 §3.4) or an HTTP/1.1 request line.
 * "more" while both are still possible; "unknown" once neither is.
 */
export function classifyFirstBytes(bytes: Uint8Array): FirstBytes {
  const compared = Math.min(bytes.length, preface.length);
  let same = 0;
  while (same < compared && bytes[same] === preface[same]) same++;
  if (same === preface.length) return "http2";
  if (same === compared) return "more";
  // "PRI " is reserved for HTTP/2: a text that begins with it and then differs is an invalid preface.
  if (same >= 4) return "unknown";
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, maxMethodBytes)).toString("latin1");
  for (const method of http1Methods) {
    const line = `${method} `;
    if (head.startsWith(line)) return "http1";
    if (line.startsWith(head)) return "more";
  }
  return "unknown";
}

export const prefaceBytes: number = preface.length;
