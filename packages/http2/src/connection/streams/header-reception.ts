import { ErrorCode } from "../../errors/error-code.ts";
import { connectionError, type Http2Error, streamError, streamLimitError } from "../../errors/http2-error.ts";
import type { HeaderBlock } from "../../hpack/index.ts";
import { type RequestHead, requestHead } from "../../stream/request-head.ts";
import { responseHead, trailers } from "../../stream/response-head.ts";
import { afterEndError, idleError, mayReceive } from "../../stream/state.ts";
import type { Stream } from "../../stream/stream.ts";
import type { Role } from "../role.ts";
import type { StreamTable } from "./stream-table.ts";

/** What the HEADERS frame of a block said besides. */
export interface HeaderFrame {
  readonly streamId: number;
  readonly endStream: boolean;
  /** The stream that it depends on, or -1. */
  readonly dependency: number;
}

/** What a complete header block can set going in the connection. */
export interface StreamOpener {
  readonly role: Role;
  /** A request the connection has no place for, or comes too late for: it was not and will not be acted on. */
  refuses(streamId: number): boolean;
  /** A request that is in order: makes the stream and tells the layer above. */
  openStream(streamId: number, head: RequestHead): Stream;
  /** What follows on a request that is not opened may be on its way already. */
  ignoreRest(streamId: number): void;
  /** A frame on a stream that we have reset was not on its way by then: it is ignored (RFC 9113 §5.1), but charged like the error it is. */
  lateFrame(): void;
  /** A request whose header list is over the limit; `fields` are those before the first that did not fit. */
  refuseHeaderList(streamId: number, endStream: boolean, fields: readonly string[]): void;
}

/** Decides what a complete header block is: a request, a response's head, an interim head, or trailers (RFC 9113 §8.1). */
export function receiveHeaderBlock(
  opener: StreamOpener,
  streams: StreamTable,
  frame: HeaderFrame,
  block: HeaderBlock,
): void {
  const { streamId, endStream } = frame;
  const stream = streams.find(streamId);
  if (stream === undefined) {
    if (opener.role === "server") receiveRequest(opener, streams, frame, block);
    else if (streams.isIdle(streamId)) throw idleError(streamId, "HEADERS");
    else streams.refuseFramesBehindPeersEnd(streamId, "HEADERS");
    return;
  }
  if (!mayReceive(stream.state)) throw afterEndError(streamId);
  if (opener.role === "client" && !stream.receive.hasHead) receiveResponse(stream, endStream, block);
  else receiveTrailers(stream, endStream, block);
}

function receiveRequest(opener: StreamOpener, streams: StreamTable, frame: HeaderFrame, block: HeaderBlock): void {
  const { streamId, endStream, dependency } = frame;
  if (streamId % 2 === 0)
    throw connectionError(ErrorCode.protocolError, `a client opened stream ${streamId}, an even one`);
  if (streamId <= streams.lastStreamId) {
    const arrival = streams.trailersAfterReset(streamId);
    if (arrival === "late") opener.lateFrame();
    if (arrival !== undefined) return;
    throw connectionError(ErrorCode.streamClosed, `HEADERS came on stream ${streamId}, which is closed`);
  }
  streams.lastStreamId = streamId;
  if (opener.refuses(streamId)) return;
  if (dependency === streamId) throw malformedRequest(opener, streamId, `stream ${streamId} depends on itself`);
  if (block.overLimit) {
    opener.refuseHeaderList(streamId, endStream, block.fields);
    return;
  }
  const head = requestHead(block);
  if (typeof head === "string") throw malformedRequest(opener, streamId, `malformed request: ${head}`);
  if (endStream && head.contentLength > 0) {
    throw malformedRequest(opener, streamId, "malformed request: less data than content-length says");
  }
  const stream = opener.openStream(streamId, head);
  stream.receive.onRequestHead(head.contentLength);
  if (!endStream || stream.isClosed) return;
  stream.endReceived();
  stream.listener?.onEnd();
}

function malformedRequest(opener: StreamOpener, streamId: number, message: string): Http2Error {
  opener.ignoreRest(streamId);
  return streamError(ErrorCode.protocolError, message);
}

function receiveResponse(stream: Stream, endStream: boolean, block: HeaderBlock): void {
  if (block.overLimit)
    throw streamLimitError("header_list", ErrorCode.enhanceYourCalm, "the response's header list is over the limit");
  const head = responseHead(block);
  if (typeof head === "string") throw streamError(ErrorCode.protocolError, `malformed response: ${head}`);
  if (head.status < 200) {
    stream.receive.onInformationalHead(head.status, endStream);
    return;
  }
  // An answer to HEAD, and a 304, may name the length of a body that does not come, be it by an empty DATA frame
  // (RFC 9113 §8.1.1).
  const hasBody = !stream.isHead && head.status !== 204 && head.status !== 304;
  stream.receive.onResponseHead(head.contentLength, endStream, hasBody);
  stream.listener?.onHead(head);
  if (!endStream || stream.isClosed) return;
  stream.endReceived();
  stream.listener?.onEnd();
}

function receiveTrailers(stream: Stream, endStream: boolean, block: HeaderBlock): void {
  if (!endStream) throw streamError(ErrorCode.protocolError, "a second header block did not end the stream");
  if (block.overLimit)
    throw streamLimitError("header_list", ErrorCode.enhanceYourCalm, "the trailers are over the header list limit");
  const fields = trailers(block);
  if (typeof fields === "string") throw streamError(ErrorCode.protocolError, `malformed trailers: ${fields}`);
  stream.receive.checkComplete();
  stream.listener?.onTrailers(fields);
  if (stream.isClosed) return;
  stream.endReceived();
  stream.listener?.onEnd();
}
