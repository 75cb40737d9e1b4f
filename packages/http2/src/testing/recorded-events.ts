import type { ConnectionEvents } from "../connection/connection-options.ts";
import type { Http2Error } from "../errors/http2-error.ts";
import type { LimitEvent } from "../errors/limit-name.ts";
import type { Goaway } from "../frame/goaway.ts";
import type { Http2Stream } from "../stream/http2-stream.ts";
import type { RequestHead } from "../stream/request-head.ts";
import { RecordedStream } from "./recorded-stream.ts";

/** Records the events that a connection reports to the layer above. */
export class RecordedEvents implements ConnectionEvents {
  /** Server: the streams that were opened, by identifier. */
  readonly streams = new Map<number, RecordedStream>();
  readonly goaways: Goaway[] = [];
  /** The limits that the peer has exceeded, each as "limit action". */
  readonly limits: string[] = [];
  ready = 0;
  capacity = 0;
  /** How often `onClose` was called; never more than once. */
  closes = 0;
  /** What `onClose` said. */
  closeError: Http2Error | undefined = undefined;
  /** Server: runs for every new stream once its recorder is in place. */
  readonly onOpened: ((recorded: RecordedStream, stream: Http2Stream) => void) | undefined;

  constructor(onOpened?: (recorded: RecordedStream, stream: Http2Stream) => void) {
    this.onOpened = onOpened;
  }

  /** The recorder of a stream that must have been opened. */
  stream(id: number): RecordedStream {
    const recorded = this.streams.get(id);
    if (recorded === undefined) throw new Error(`stream ${id} was never opened`);
    return recorded;
  }

  onStream(stream: Http2Stream, head: RequestHead): void {
    const recorded = new RecordedStream(head);
    recorded.stream = stream;
    stream.listener = recorded;
    this.streams.set(stream.id, recorded);
    this.onOpened?.(recorded, stream);
  }

  onReady(): void {
    this.ready++;
  }

  onCapacity(): void {
    this.capacity++;
  }

  onGoaway(goaway: Goaway): void {
    this.goaways.push(goaway);
  }

  onLimit({ limit, action }: LimitEvent): void {
    this.limits.push(`${limit} ${action}`);
  }

  onClose(error: Http2Error | undefined): void {
    this.closes++;
    this.closeError = error;
  }
}
