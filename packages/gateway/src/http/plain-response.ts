import { STATUS_CODES } from "node:http";

/** Returns a whole HTTP/1.1 response that closes the connection, for invalid requests. */
export function plainResponse(status: number, problem: string): string {
  const text = `${problem}\n`;
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n` +
    `content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`
  );
}
