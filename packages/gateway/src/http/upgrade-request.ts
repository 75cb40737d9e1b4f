import { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { RequestHead } from "./requests/request-head.ts";

/** A request that asks for a WebSocket in place of a response. */
export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  readonly head: Buffer;
  /** Hands the connection over: from here on the exchange must not be answered. */
  accept(): void;
}

/** As packages expect it that take over a connection. */
export function toIncomingMessage({ method, target, version, block }: RequestHead, socket: Socket): IncomingMessage {
  const request = new IncomingMessage(socket);
  request.method = method;
  request.url = target;
  request.httpVersion = version;
  request.httpVersionMajor = 1;
  request.httpVersionMinor = version === "1.1" ? 1 : 0;
  const headers: NodeJS.Dict<string> = Object.create(null);
  for (let at = 0; at < block.fields.length; at += 2) {
    const name = block.fields[at] as string;
    const value = block.fields[at + 1] as string;
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  request.headers = headers;
  return request;
}
