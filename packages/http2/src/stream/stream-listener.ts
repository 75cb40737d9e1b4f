import type { Http2Error } from "../errors/http2-error.ts";
import type { ResponseHead, Trailers } from "./response-head.ts";

/** What a stream reports to the layer above. Calls come from within the reading of the socket: they return quickly. */
export interface StreamListener {
  /** Client: the final response head. `onEnd` follows at once when nothing else comes. */
  onHead(head: ResponseHead): void;
  /** `bytes[start, end)` may be read until the call returns. Call `stream.consume` once they are used up. */
  onData(bytes: Uint8Array, start: number, end: number): void;
  onTrailers(trailers: Trailers): void;
  /** The peer ended its side in good order. */
  onEnd(): void;
  /** The stream is over before its time, by either side's doing or the connection's. Nothing is called after this. */
  onReset(error: Http2Error): void;
  /** After `sendData` returned false: there is room again. */
  onWritable(): void;
  /**
   * Server: called when the peer resets the stream. True: the stream was at its end anyway, so that the reset is charged to a large budget
   * of its own and not as an attack (CVE-2023-44487). Default: every reset is.
   */
  isResetExpected?(): boolean;
  /** Server: after `admit` returned false: the request's handler may begin. Not called once the stream has ended. */
  onAdmitted?(): void;
}
