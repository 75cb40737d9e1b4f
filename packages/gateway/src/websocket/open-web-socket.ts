import { Code, ConnectError } from "@connectrpc/connect";
import { invalidArgument } from "@tercel/grpc/errors";
import { type GatewayHost, type HttpExchange, type HttpRequestHead, messagePrefixBytes } from "@tercel/grpc/protocols";
import { findHeader } from "../calls/read-fields.ts";
import type { UpgradeRequest } from "../http/upgrade-request.ts";
import type { RestSettings } from "../rest/rest-settings.ts";
import { withHttpStatus } from "../rules/http-status.ts";
import { serveWebSocket } from "./serve-web-socket.ts";
import type { SocketRoute } from "./socket-route.ts";
import { chooseSubprotocol, subprotocolNames } from "./subprotocols.ts";

/** The error for a path without a streaming method. */
export function noStreamHere(): ConnectError {
  const text = "no streaming method at this path; WebSockets serve only streams";
  return withHttpStatus(new ConnectError(text, Code.NotFound), 404);
}

/** The reason to refuse a handshake because of its origin or subprotocols; undefined for a valid one. */
export function whyNoSocket(head: HttpRequestHead, settings: RestSettings): ConnectError | undefined {
  if (settings.isForeign(head)) {
    const origin = JSON.stringify(findHeader(head.fields, "origin")?.slice(0, 128));
    return new ConnectError(`pages of the origin ${origin} may not open WebSockets here`, Code.PermissionDenied);
  }
  if (chooseSubprotocol(findHeader(head.fields, "sec-websocket-protocol")) !== undefined) return undefined;
  return invalidArgument(`the subprotocol has to be one of: ${subprotocolNames.join(", ")}`);
}

/** Opens a WebSocket that {@link whyNoSocket} has accepted. */
export function openWebSocket(
  parts: {
    readonly host: GatewayHost;
    readonly settings: RestSettings;
    readonly exchange: HttpExchange;
    readonly route: SocketRoute;
  },
  upgrade: UpgradeRequest,
): void {
  const { host, settings, exchange, route } = parts;
  const { head, peerAddress, peerTls } = exchange;
  const chosen = chooseSubprotocol(findHeader(head.fields, "sec-websocket-protocol"));
  if (chosen === undefined || settings.webSockets === undefined) return;
  const request = { head: { ...head, fields: fieldsOfCall(head.fields, chosen.token) }, peerAddress, peerTls };
  upgrade.accept();
  settings.webSockets.open(
    { ...upgrade, protocol: chosen.name, maxMessageBytes: messagePrefixBytes + route.handler.maxReceiveMessageBytes },
    (socket) => serveWebSocket({ host, settings, route, request, format: chosen.format }, socket),
    (error) => host.log.error("the gateway failed to serve a WebSocket", { error }),
  );
}

const ofHandshake = /^(?:connection|upgrade|sec-websocket-.+)$/;

/** Removes the fields of the handshake, and moves a token from the subprotocols to `authorization`. */
function fieldsOfCall(fields: readonly string[], token: string | undefined): string[] {
  const kept = fields.filter((_, at) => !ofHandshake.test(fields[at - (at % 2)] as string));
  const hasAuthorization = findHeader(kept, "authorization") !== undefined;
  return token === undefined || hasAuthorization ? kept : [...kept, "authorization", `Bearer ${token}`];
}
