import type { ConnectError } from "@connectrpc/connect";
import type { Http2Stream } from "@tercel/http2";
import type { ResponseMetadata } from "../../call/context/response-metadata.ts";
import type { Log } from "../../logging/log.ts";
import { printable } from "../../logging/printable.ts";
import { checkHeaderList, headerListBytes, headerListTooLarge } from "../../protocol/header-list.ts";
import { appendMetadata, appendTrailerMetadata, type OnDropped } from "../../protocol/metadata.ts";
import { appendRpcStatus } from "../../protocol/rpc-status.ts";
import { appendStatusTrailers, hasExactStatus, statusOfError } from "../../protocol/trailers.ts";
import type { RequestPlan } from "./request-plan.ts";
import { okTrailers, type ResponseHeads } from "./response-heads.ts";
import { sendStatus } from "./send-status.ts";

/** A call as far as the head and the end of its response need it. */
export interface RespondingCall {
  readonly settings: { readonly responseHeads: ResponseHeads; readonly log: Log };
  readonly plan: RequestPlan;
  readonly path: string;
  readonly stream: Http2Stream;
  readonly metadata: ResponseMetadata | undefined;
  headSent: boolean;
}

/** Sends the head, unless it has been. Returns an error, with nothing sent, where the client does not accept so much metadata. */
export function sendHead(call: RespondingCall): ConnectError | undefined {
  if (call.headSent) return undefined;
  const { plan, settings, metadata, stream } = call;
  const limitBytes = stream.peerMaxHeaderListBytes;
  if (metadata?.givenHeader !== undefined) {
    const fields = headFields(call, metadata.givenHeader);
    const refused = checkHeaderList("response headers", fields, limitBytes);
    if (refused !== undefined) return refused;
    call.headSent = true;
    stream.sendHeaders(fields);
    return undefined;
  }
  const head = settings.responseHeads.plain(plan.format, plan.responseCompression);
  const added = metadata?.plainHeader;
  if (added === undefined) {
    call.headSent = true;
    stream.sendHeaders(head);
    return undefined;
  }
  const bytes = head.listBytes + headerListBytes(added);
  if (bytes > limitBytes) return headerListTooLarge("response headers", bytes, limitBytes);
  call.headSent = true;
  stream.sendHeaders(head, false, added);
  return undefined;
}

/** Ends the response with status OK. Returns an error, with the stream left open, where the client does not accept so much metadata. */
export function sendSuccess(call: RespondingCall): ConnectError | undefined {
  const { metadata, stream } = call;
  const refused = sendHead(call);
  if (refused !== undefined) return refused;
  if (metadata?.givenTrailer === undefined) {
    stream.sendTrailers(okTrailers);
    return undefined;
  }
  const fields: string[] = [];
  appendStatusTrailers(fields, undefined);
  appendTrailerMetadata(fields, metadata.givenTrailer, reportDropped(call));
  const tooLarge = checkHeaderList("response trailers", fields, stream.peerMaxHeaderListBytes);
  // Next to the error they would not fit either.
  if (tooLarge !== undefined) metadata.givenTrailer = undefined;
  else stream.sendTrailers(fields);
  return tooLarge;
}

/** Ends the response with an error. */
export function sendFailure(call: RespondingCall, error: ConnectError): void {
  const { metadata } = call;
  // In a trailers-only response clients take all metadata for trailers; what the handler meant as headers goes ahead.
  if (metadata?.hasResponseHeader === true && !call.headSent) sendHeadBefore(call, error);
  const fields = call.headSent ? [] : plainHeadFields(call);
  if (passesStatus(call, error)) appendRpcStatus(fields, statusOfError(error), reportDropped(call));
  else appendStatusTrailers(fields, error, reportDropped(call));
  if (metadata?.givenTrailer !== undefined) appendTrailerMetadata(fields, metadata.givenTrailer, reportDropped(call));
  sendStatus(call.stream, fields, call.headSent);
  call.headSent = true;
}

/** Of a call whose messages are bytes, the status that it was given goes out as it is: it may be another server's. */
export function passesStatus(call: Pick<RespondingCall, "plan">, error: unknown): error is ConnectError {
  return call.plan.handler.desc === undefined && hasExactStatus(error);
}

/** The head that goes before an error; metadata that the client does not accept must not hide the error. */
function sendHeadBefore(call: RespondingCall, error: ConnectError): void {
  const refused = sendHead(call);
  if (refused === undefined || refused.rawMessage === error.rawMessage) return;
  call.settings.log.warn("response metadata was left out", { path: call.path, error: refused });
}

function plainHeadFields({ plan, settings }: RespondingCall): string[] {
  return settings.responseHeads.fields(plan.format, plan.responseCompression);
}

function headFields(call: RespondingCall, given: Headers): string[] {
  const fields = plainHeadFields(call);
  const error = appendMetadata(fields, given, reportDropped(call));
  if (error !== undefined) call.settings.log.warn("response metadata was left out", { path: call.path, error });
  return fields;
}

/** What gRPC writes itself or cannot carry is dropped. Only the name is logged, because the value may be a secret. */
function reportDropped({ settings, path }: RespondingCall): OnDropped {
  return (name, reason) => settings.log.debug("metadata was dropped", { path, name: printable(name), reason });
}
