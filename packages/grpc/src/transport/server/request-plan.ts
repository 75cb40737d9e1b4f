import { Code, ConnectError } from "@connectrpc/connect";
import type { RequestHead } from "@tercel/http2";
import type { MessageCodec } from "../../call/messages/message-codec.ts";
import type { Log } from "../../logging/log.ts";
import { printable } from "../../logging/printable.ts";
import { thrownText } from "../../logging/thrown-text.ts";
import { type Compression, chooseRequestDecoding, chooseResponseEncoding } from "../../protocol/compression.ts";
import { type MessageFormat, parseContentType } from "../../protocol/content-type.ts";
import { findMetadata, findMetadataError } from "../../protocol/metadata.ts";
import { parseMethodPath } from "../../protocol/method-path.ts";
import { parseTimeout } from "../../protocol/timeout.ts";
import type { MethodHandler, ServedMethods } from "../handler/method-handler.ts";
import type { ReceiveSettings } from "../messages/message-receiver.ts";
import { MessageSender } from "../messages/message-sender.ts";

/** Interceptors look for a few headers, always the same. */
const maxLookedUp = 8;

/** What a server knows that planning needs. */
export interface PlanSettings {
  readonly methods: ServedMethods;
  readonly compressions: readonly Compression[];
  readonly compressMinBytes: number;
  readonly maxTimeoutMs: number | undefined;
  readonly log: Log;
}

/**
 * Everything that follows from a request's head alone. Requests that sent the same bytes share it, so a client that
 * calls a method again costs one look-up.
 */
export interface RequestPlan {
  /** Of the methods that it was made by. */
  readonly version: number;
  readonly handler: MethodHandler;
  readonly format: MessageFormat;
  readonly responseCodec: MessageCodec;
  readonly receive: ReceiveSettings;
  readonly sender: MessageSender;
  readonly requestCompression: Compression | undefined;
  readonly responseCompression: Compression | undefined;
  readonly timeoutMs: number | undefined;
  /** Headers that were looked for, so that a request whose head is recalled is not searched again: name, value, … */
  readonly lookedUp: (string | null)[];
}

/** A request that is answered without a handler: in HTTP's terms where it is no gRPC, in gRPC's where it is. */
export type Refusal =
  | { readonly version: number; readonly httpStatus: number; readonly text: string }
  | { readonly version: number; readonly error: ConnectError; readonly handler: MethodHandler | undefined };

/** In the order that gRPC's own servers check: what is no gRPC first, then the method, then the rest of the head. */
export function planRequest(settings: PlanSettings, head: RequestHead): RequestPlan | Refusal {
  const { version } = settings.methods;
  if (head.method !== "POST") return { version, httpStatus: 405, text: "gRPC takes POST only" };
  let contentType: string | undefined;
  let timeout: string | undefined;
  let encoding: string | undefined;
  let acceptEncoding: string | undefined;
  const { fields } = head;
  for (let at = 0; at < fields.length; at += 2) {
    const value = fields[at + 1] as string;
    switch (fields[at]) {
      case "content-type":
        contentType = value;
        break;
      case "grpc-timeout":
        timeout = value;
        break;
      case "grpc-encoding":
        encoding = value;
        break;
      case "grpc-accept-encoding":
        acceptEncoding = acceptEncoding === undefined ? value : `${acceptEncoding},${value}`;
        break;
    }
  }
  const format = contentType === undefined ? undefined : parseContentType(contentType);
  if (format === undefined) return { version, httpStatus: 415, text: "the content-type is not application/grpc" };
  const handler = findHandler(settings, head.path);
  if (handler === undefined) return { version, error: unknownMethod(head.path), handler };
  // Not to be kept: the next look-up may go well. No version equals this one.
  if (handler instanceof ConnectError) return { version: Number.NaN, error: handler, handler: undefined };
  const badMetadata = findMetadataError(fields);
  if (badMetadata !== undefined) return { version, error: badMetadata, handler };
  const decoding = chooseRequestDecoding(encoding, settings.compressions);
  if ("error" in decoding) return { version, error: decoding.error, handler };
  const parsed = timeout === undefined ? undefined : parseTimeout(timeout);
  if (parsed !== undefined && "error" in parsed) return { version, error: parsed.error, handler };
  const codecs = handler.codecs[format];
  const responseCompression = chooseResponseEncoding(acceptEncoding, decoding.compression, settings.compressions);
  return {
    version,
    handler,
    format,
    responseCodec: codecs.response,
    receive: { codec: codecs.request, maxMessageBytes: handler.maxReceiveMessageBytes },
    sender: new MessageSender({
      codec: codecs.response,
      compression: responseCompression,
      compressMinBytes: settings.compressMinBytes,
      maxMessageBytes: handler.maxSendMessageBytes,
    }),
    requestCompression: decoding.compression,
    responseCompression,
    timeoutMs: shorter(parsed?.timeoutMs, settings.maxTimeoutMs),
    lookedUp: [],
  };
}

/** Returns a request header as an application sees it. */
export function lookUpHeader({ lookedUp }: RequestPlan, { fields }: RequestHead, name: string): string | null {
  for (let at = 0; at < lookedUp.length; at += 2) {
    if (lookedUp[at] === name) return lookedUp[at + 1] as string | null;
  }
  const value = findMetadata(fields, name);
  if (lookedUp.length < 2 * maxLookedUp) lookedUp.push(name, value);
  return value;
}

/** What an application's own look-up throws costs the calls of that path, and no other. */
export function findHandler({ methods, log }: PlanSettings, path: string): MethodHandler | ConnectError | undefined {
  try {
    return methods.find(path);
  } catch (reason) {
    const error = reason instanceof Error ? reason : thrownText(reason);
    log.error("looking up a method failed", { path: printable(path), error });
    return new ConnectError("internal error", Code.Internal);
  }
}

function unknownMethod(path: string): ConnectError {
  const parsed = parseMethodPath(path);
  if ("error" in parsed) return parsed.error;
  return new ConnectError(`${parsed.service} has no method ${parsed.method} on this server`, Code.Unimplemented);
}

function shorter(asked: number | undefined, most: number | undefined): number | undefined {
  if (asked === undefined || most === undefined) return asked ?? most;
  return Math.min(asked, most);
}
