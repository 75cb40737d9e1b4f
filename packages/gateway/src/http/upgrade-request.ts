import { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { RequestHead } from "./requests/request-head.ts";

/** A request to open a WebSocket. */
export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  readonly head: Buffer;
  /** Hands over the connection. After this, the exchange must not send a response. */
  accept(): void;
}

/** Creates the request object that WebSocket packages expect. */
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
