import type { Http2Error } from "../errors/http2-error.ts";
import type { Http2Stream } from "../stream/http2-stream.ts";
import type { RequestHead } from "../stream/request-head.ts";
import type { ResponseHead, Trailers } from "../stream/response-head.ts";
import type { StreamListener } from "../stream/stream-listener.ts";

/** The calls that a {@link StreamListener} gets. */
export type ListenerCall = "head" | "data" | "trailers" | "end" | "reset" | "writable";

/** A listener that records its calls, and can be made to act or throw in any of them. */
export class RecordedStream implements StreamListener {
  /** The code that opens the stream sets this. */
  stream: Http2Stream | undefined = undefined;
  /** Server: what the stream was opened with. */
  readonly request: RequestHead | undefined;
  response: ResponseHead | undefined = undefined;
  trailers: Trailers | undefined = undefined;
  error: Http2Error | undefined = undefined;
  /** Every call in order; calls with data as "data 5". */
  readonly log: string[] = [];
  /** Whether data counts as used up at once. Default true. */
  consumes = true;
  /** Runs within the calls, after they were written down: to act from there, or to throw. */
  during: ((call: ListenerCall, stream: Http2Stream) => void) | undefined = undefined;
  private readonly chunks: Buffer[] = [];

  constructor(request?: RequestHead) {
    this.request = request;
  }

  /** All data so far. */
  get body(): Buffer {
    return Buffer.concat(this.chunks);
  }

  onHead(head: ResponseHead): void {
    this.response = head;
    this.tell("head", `head ${head.status}`);
  }

  onData(bytes: Uint8Array, start: number, end: number): void {
    this.chunks.push(Buffer.from(bytes.subarray(start, end)));
    if (this.consumes) this.stream?.consume(end - start);
    this.tell("data", `data ${end - start}`);
  }

  onTrailers(trailers: Trailers): void {
    this.trailers = trailers;
    this.tell("trailers", "trailers");
  }

  onEnd(): void {
    this.tell("end", "end");
  }

  onReset(error: Http2Error): void {
    this.error = error;
    this.tell("reset", "reset");
  }

  onWritable(): void {
    this.tell("writable", "writable");
  }

  private tell(call: ListenerCall, line: string): void {
    this.log.push(line);
    if (this.during !== undefined && this.stream !== undefined) this.during(call, this.stream);
  }
}
