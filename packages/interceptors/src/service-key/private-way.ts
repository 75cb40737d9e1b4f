import type { StreamRequest, UnaryRequest } from "@connectrpc/connect";
import { callInfo } from "@tercel/grpc";
import { authorityOf } from "../call/authority-of.ts";

/** 127.0.0.0/8 and ::1, the first also as IPv4-mapped IPv6 addresses. */
const loopback = /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[(::1|::ffff:127\.\d{1,3}\.\d{1,3}\.\d{1,3})\]):\d+$/i;

/** Whether no one on the way could read what a client has sent. False when that is unknown. */
export function cameInPrivate(request: UnaryRequest | StreamRequest): boolean {
  // Not by the URL: its scheme is what the client says.
  const info = request.contextValues.get(callInfo);
  if (info === undefined) return false;
  return info.peerTls !== undefined || info.peerAddress === undefined || loopback.test(info.peerAddress);
}

/** Whether no one on the way will be able to read what a client sends. */
export function goesInPrivate(request: UnaryRequest | StreamRequest): boolean {
  if (request.url.startsWith("https:")) return true;
  const authority = authorityOf(request.url) ?? "";
  const host = authority.replace(/:\d+$/, "");
  // RFC 6761 §6.3: localhost and what is below it is this machine.
  return /^(.+\.)?localhost$/i.test(host) || loopback.test(`${host}:0`);
}
