import { ErrorCode } from "../errors/error-code.ts";
import { streamError, streamLimitError } from "../errors/http2-error.ts";
import { isCreditDue } from "./window.ts";

/** More informational responses than this are a way to keep a client busy for nothing. */
const maxInformationalResponses = 16;

/**
 * The receiving side of a stream: its window, the data that is not consumed, and whether it is as long as its content-length (RFC 9113 §8.1.1).
 * One method for each thing that comes; each throws what the peer did wrong. The window is part of it, and not an object that it has, because there is
 * one for each stream; its rules are those of `ReceiveWindow`.
 */
export class ReceiveHalf {
  private size: number;
  private available: number;
  private unreturned = 0;
  /** Client: the final response head has come, so the next header block is trailers. */
  hasHead = false;
  /** Bytes of content-length that have not come yet; -1 without that field. */
  private announcedBytes = -1;
  private informationalResponses = 0;
  private unconsumed = 0;
  /** What the frames of the unconsumed data have cost, see `SmallDataBudget`. */
  private smallDataCost = 0;

  /** The arguments are those of `ReceiveWindow`. */
  constructor(size: number, allowance: number) {
    this.size = size;
    this.available = allowance;
  }

  /** What the peer may still send. */
  get availableBytes(): number {
    return this.available;
  }

  /** The peer learns by other means that it may send `bytes` more. */
  grow(bytes: number): void {
    this.size += bytes;
    this.available += bytes;
  }

  /** Counts received bytes, padding included. False: the peer sent more than it was allowed. */
  receive(bytes: number): boolean {
    this.available -= bytes;
    return this.available >= 0;
  }

  /** Gives back what has been used up. Returns the increment to announce now, or 0. */
  release(bytes: number): number {
    this.unreturned += bytes;
    if (!isCreditDue(this.unreturned, this.size)) return 0;
    const increment = this.unreturned;
    this.unreturned = 0;
    this.available += increment;
    return increment;
  }

  /** Server: the request's head. `contentLength` is -1 where it does not say. */
  onRequestHead(contentLength: number): void {
    this.announcedBytes = contentLength;
  }

  /** Client: a head before the response's own (RFC 9110 §15.2). */
  onInformationalHead(status: number, endStream: boolean): void {
    this.informationalResponses++;
    if (endStream) throw streamError(ErrorCode.protocolError, "an interim response ended the stream");
    if (status === 101) throw streamError(ErrorCode.protocolError, "status 101 does not exist in HTTP/2");
    if (this.informationalResponses > maxInformationalResponses) {
      throw streamLimitError("interim_heads", ErrorCode.enhanceYourCalm, "too many interim responses");
    }
  }

  /** Client: the response's head. `hasBody`: a content-length in it is that of data to come. */
  onResponseHead(contentLength: number, endStream: boolean, hasBody: boolean): void {
    this.hasHead = true;
    if (!hasBody) this.announcedBytes = 0;
    else if (!endStream) this.announcedBytes = contentLength;
  }

  /** Counts data that the layer above has to consume, and what its frame cost. */
  onData(bytes: number, cost: number): void {
    this.unconsumed += bytes;
    this.smallDataCost += cost;
  }

  /** Data is handed on. */
  onContent(bytes: number): void {
    if (this.announcedBytes === -1) return;
    this.announcedBytes -= bytes;
    if (this.announcedBytes < 0) throw streamError(ErrorCode.protocolError, "more data than content-length says");
  }

  /** The peer ends its side. */
  checkComplete(): void {
    if (this.announcedBytes > 0) throw streamError(ErrorCode.protocolError, "less data than content-length says");
  }

  get unconsumedBytes(): number {
    return this.unconsumed;
  }

  /** At most `unconsumedBytes` have been used up. Returns what their frames have cost; no one knows which, so each byte that waits has cost the same. */
  consume(bytes: number): number {
    let cost = this.smallDataCost;
    if (cost > 0 && bytes < this.unconsumed) cost = Math.floor((cost * bytes) / this.unconsumed);
    this.smallDataCost -= cost;
    this.unconsumed -= bytes;
    return cost;
  }
}
