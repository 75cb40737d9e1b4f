import type { StreamRequest, UnaryRequest } from "@connectrpc/connect";
import { callInfo } from "@tercel/grpc";
import { authorityOf } from "../call/authority-of.ts";

/** 127.0.0.0/8, also as IPv4-mapped IPv6 addresses, and ::1. */
const loopback = /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[(::1|::ffff:127\.\d{1,3}\.\d{1,3}\.\d{1,3})\]):\d+$/i;

/** Whether the request arrived over TLS, loopback or a Unix socket, where others cannot read it. False if that is unknown. */
export function cameInPrivate(request: UnaryRequest | StreamRequest): boolean {
  // The scheme of the URL does not count, because the client chooses it.
  const info = request.contextValues.get(callInfo);
  if (info === undefined) return false;
  return info.peerTls !== undefined || info.peerAddress === undefined || loopback.test(info.peerAddress);
}

/** Whether the request will be sent over TLS or loopback, where others cannot read it. */
export function goesInPrivate(request: UnaryRequest | StreamRequest): boolean {
  if (request.url.startsWith("https:")) return true;
  const authority = authorityOf(request.url) ?? "";
  const host = authority.replace(/:\d+$/, "");
  // localhost and the names below it are this machine (RFC 6761 §6.3).
  return /^(.+\.)?localhost$/i.test(host) || loopback.test(`${host}:0`);
}
