import { createHash } from "node:crypto";
import type { Message } from "@bufbuild/protobuf";
import { Code, type ConnectError } from "@connectrpc/connect";
import { type Compression, MessageSender, type Payload, PreparedHead } from "@tercel/grpc/protocols";
import type { GatewayCall, ResponseForm } from "../calls/gateway-call.ts";
import { findHeader } from "../calls/read-fields.ts";
import { withEncode } from "../calls/request-codec.ts";
import { prepareHead, type Responder } from "../calls/responder.ts";
import { headerFields, trailerFields } from "../calls/response-metadata.ts";
import { defaultSystemParameters, type SystemParameters } from "../rules/bind-query.ts";
import { encodeResponse } from "../rules/encode-response.ts";
import { isRawBody, rawBodyOf } from "../rules/http-body.ts";
import { chooseCoding } from "./accept.ts";
import { httpStatusValue } from "./http-status-value.ts";
import { sendRestError } from "./rest-error.ts";
import type { RestRoute } from "./rest-route.ts";
import type { RestSettings } from "./rest-settings.ts";

const noBytes = new Uint8Array(0);
const jsonType = "application/json";

/** How the responses are written to requests with the same head. */
export interface RestUnaryWriting {
  readonly route: RestRoute;
  readonly compression: Compression | undefined;
  /** The body is the bytes of an HttpBody. */
  readonly isRaw: boolean;
  /** Unless the handler has set another. */
  readonly status: number;
  /** Of such a response whose body is JSON as it is. */
  readonly plainHead: PreparedHead;
}

export function planRestUnary(route: RestRoute, fields: readonly string[]): RestUnaryWriting {
  const { binding, settings } = route;
  const isRaw = isRawBody(binding.method.output, binding.responseBody);
  const compression = agreedCompression(findHeader(fields, "accept-encoding"), settings);
  const status = settings.successStatusOf(binding.method);
  return { route, compression, isRaw, status, plainHead: settings.jsonHeads.of(status, undefined) };
}

/** The response of a unary call over REST: JSON, or the bytes of an HttpBody. */
export class RestUnaryResponse implements ResponseForm {
  readonly #writing: RestUnaryWriting;
  readonly #responder: Responder;
  readonly #call: GatewayCall;
  readonly sender: MessageSender;
  #body: Uint8Array = noBytes;
  #contentType = jsonType;
  #etag: string | undefined = undefined;
  /** Of the body, if it is compressed. */
  #coding: string | undefined;
  /** Of the request, once it has been read. */
  system: SystemParameters = defaultSystemParameters;
  hasIfMatch = false;

  constructor(writing: RestUnaryWriting, responder: Responder, call: GatewayCall) {
    this.#writing = writing;
    this.#responder = responder;
    this.#call = call;
    const { route, compression, isRaw } = writing;
    this.#coding = compression?.name;
    this.sender = new MessageSender({
      compression: compression !== undefined && isRaw ? this.#unlessCompressed(compression) : compression,
      compressMinBytes: route.host.compressMinBytes,
      maxMessageBytes: route.handler.maxSendMessageBytes,
      codec: withEncode(call.responseCodec, (one) => this.#encode(one as Message)),
    });
  }

  put({ content, compressed }: Payload): undefined {
    this.#body = content;
    if (!compressed) this.#coding = undefined;
  }

  succeed(): void {
    const { route, status: usual } = this.#writing;
    const responder = this.#responder;
    const { metadata } = this.#call;
    const own = ownFields(headerFields(route.host, metadata, true), trailerFields(metadata));
    const chosen = metadata?.givenValues?.get(httpStatusValue) ?? 0;
    const status = chosen === 0 ? usual : chosen;
    if (status >= 300 && findHeader(own, "location") === undefined) {
      throw new Error(`the handler set the HTTP status ${status} without a location`);
    }
    this.#call.sent(this.#body.length, this.#coding !== undefined);
    const ownTag = findHeader(own, "etag");
    const added = this.#etag === undefined || ownTag !== undefined ? own : [...own, "etag", this.#etag];
    const head = this.#headOf(status);
    if (this.#isNotModified(responder, ownTag ?? this.#etag)) {
      const fields = [...head.fields, ...added].filter((_, at, all) => all[at - (at % 2)] !== "content-type");
      responder.sendPrepared(new PreparedHead(304, fields), []);
      responder.end();
    } else responder.sendWhole(head, added, this.#body);
  }

  #headOf(status: number): PreparedHead {
    const { route, status: usual, plainHead } = this.#writing;
    const { compressions, jsonHeads } = route.settings;
    if (this.#contentType === jsonType) {
      return status === usual && this.#coding === undefined ? plainHead : jsonHeads.of(status, this.#coding);
    }
    const fields = ["content-type", this.#contentType];
    if (this.#coding !== undefined) fields.push("content-encoding", this.#coding);
    if (compressions.length > 0) fields.push("vary", "accept-encoding");
    return prepareHead(status, fields);
  }

  fail(error: ConnectError): void {
    const status = this.hasIfMatch && error.code === Code.Aborted ? 412 : undefined;
    sendRestError(this.#responder, error, this.#writing.route, { status, fields: this.#ownErrorFields() });
  }

  /** The body; notes its type and its ETag. */
  #encode(message: Message): Uint8Array {
    const { route, isRaw } = this.#writing;
    const { binding, settings } = route;
    let body: Uint8Array;
    if (isRaw) {
      const { contentType, data } = rawBodyOf(binding, message);
      this.#contentType = printableType(contentType);
      body = data;
    } else body = this.#encodeJson(message);
    this.#etag = etagOfField(message) ?? (settings.etag === "body" ? etagOfBytes(body) : undefined);
    return body;
  }

  #encodeJson(message: Message): Uint8Array {
    const { binding, host } = this.#writing.route;
    return Buffer.from(encodeResponse(binding, message, this.system, host));
  }

  /** What interceptors have set, such as the id of the request, helps with an error as well. */
  #ownErrorFields(): string[] {
    const fields = headerFields(this.#writing.route.host, this.#call.metadata, false);
    return fields.filter((_, at, all) => !bodyFields.has(all[at - (at % 2)] as string));
  }

  /** Images, films and archives are compressed already: what does not shrink is sent as it is. */
  #unlessCompressed(compression: Compression): Compression {
    const compress: Compression["compress"] = (bytes) =>
      shrinks.test(this.#contentType) ? compression.compress(bytes) : bytes;
    return { ...compression, compress };
  }

  #isNotModified({ head }: Responder, etag: string | undefined): boolean {
    if (etag === undefined || (head.method !== "GET" && head.method !== "HEAD")) return false;
    const known = findHeader(head.fields, "if-none-match");
    if (known === undefined) return false;
    const weak = etag.replace(/^W\//, "");
    return known.split(",").some((one) => one.trim() === "*" || one.trim().replace(/^W\//, "") === weak);
  }
}

/** What the handler has set: over REST trailers are headers as well. */
function ownFields(headers: readonly string[], trailers: readonly string[]): readonly string[] {
  return trailers.length === 0 ? headers : [...headers, ...trailers];
}

function agreedCompression(
  acceptEncoding: string | undefined,
  { compressions }: Pick<RestSettings, "compressions">,
): Compression | undefined {
  if (acceptEncoding === undefined) return undefined;
  const accepted = chooseCoding(
    acceptEncoding,
    compressions.map((one) => one.name),
  );
  return compressions.find((one) => one.name === accepted);
}

const shrinks = /^text\/|[/+](?:json|xml|javascript|yaml|wasm)\b/i;

/** They describe the body of a success. */
const bodyFields: ReadonlySet<string> = new Set(["etag", "cache-control", "location", "last-modified", "expires"]);

const mediaType = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+\/[\x20-\x7e]+$/;

/** What a handler calls the type of its bytes goes into a header. */
export function printableType(contentType: string): string {
  return mediaType.test(contentType) ? contentType : "application/octet-stream";
}

function etagOfField(message: object): string | undefined {
  const { etag } = message as { readonly etag?: unknown };
  if (typeof etag !== "string" || etag === "") return undefined;
  const isQuoted = /^(W\/)?"[\x21\x23-\x7e]*"$/.test(etag);
  if (isQuoted) return etag;
  return /^[\x21\x23-\x7e]+$/.test(etag) ? `"${etag}"` : undefined;
}

function etagOfBytes(bytes: Uint8Array): string {
  return `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
}
