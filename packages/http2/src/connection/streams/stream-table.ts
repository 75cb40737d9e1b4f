import { ErrorCode } from "../../errors/error-code.ts";
import { connectionError } from "../../errors/http2-error.ts";
import { maxUint31 } from "../../frame/frame-header.ts";
import { afterEndError } from "../../stream/state.ts";
import type { Stream } from "../../stream/stream.ts";
import type { Role } from "../role.ts";
import { type Arrival, LocallyEndedStreams } from "./locally-ended-streams.ts";
import { PeerEndedStreams } from "./peer-ended-streams.ts";
import { StreamIndex } from "./stream-index.ts";

/** The streams of a connection, and what is still known of those that are gone. */
export class StreamTable {
  /** The highest identifier the peer has used (server) or we have (client). */
  lastStreamId = 0;
  /** The last stream that we have promised to act on; what belongs to later ones is ignored (RFC 9113 §6.8). */
  lastAllowedStreamId = maxUint31;
  /** Streams that count towards the concurrent streams: open ones, and closed ones whose handler still runs. */
  slots = 0;
  private readonly byId = new StreamIndex();
  /** Undefined until there is one to remember, as most connections are idle most of the time. */
  private locallyEnded: LocallyEndedStreams | undefined = undefined;
  private peerEnded: PeerEndedStreams | undefined = undefined;
  private readonly role: Role;
  private readonly maxLocallyEnded: number;
  /** DATA mostly follows its HEADERS at once, so the last stream found is likely the next one needed. */
  private recent: Stream | undefined = undefined;

  /** `maxLocallyEnded`: on how many streams that we have ended the peer may still send frames. */
  constructor(role: Role, maxLocallyEnded: number) {
    this.role = role;
    this.maxLocallyEnded = maxLocallyEnded;
  }

  get size(): number {
    return this.byId.size;
  }

  find(id: number): Stream | undefined {
    if (this.recent !== undefined && this.recent.id === id) return this.recent;
    const stream = this.byId.get(id);
    if (stream !== undefined) this.recent = stream;
    return stream;
  }

  /** How many streams there have been. */
  get opened(): number {
    return (this.lastStreamId + 1) >>> 1;
  }

  add(stream: Stream): void {
    this.byId.add(stream);
    this.recent = stream;
    this.slots++;
  }

  delete(stream: Stream): void {
    this.byId.delete(stream);
    if (this.recent === stream) this.recent = undefined;
  }

  /** A copy, because what is done to each may remove it. */
  all(): Stream[] {
    return this.byId.all();
  }

  /** A stream that no one has opened. Only clients open streams, so even identifiers always are. */
  isIdle(id: number): boolean {
    return id % 2 === 0 || id > this.lastStreamId;
  }

  /**
   * Server: we reset a stream, or do not open it. `dataBytes`: how much DATA the peer may still have sent on it; undefined when it has ended
   * its side.
   */
  endedLocally(id: number, dataBytes: number | undefined): void {
    if (this.role === "client") return;
    this.locallyEnded ??= new LocallyEndedStreams(this.maxLocallyEnded);
    this.locallyEnded.remember(id, dataBytes);
  }

  /** A server needs no memory of these: it ignores nothing on streams that it has not ended itself. */
  endedByPeer(id: number, how: "end" | "reset"): void {
    if (this.role !== "client") return;
    this.peerEnded ??= new PeerEndedStreams();
    this.peerEnded.remember(id, how);
  }

  /** Client: throws for a frame that cannot have crossed anything of ours, because the peer ended the stream (RFC 9113 §5.1). */
  refuseFramesAfterPeersEnd(id: number, frame: string): void {
    const how = this.peerEnded?.howEnded(id);
    if (how === "reset") throw afterEndError(id);
    if (how === "end") throw connectionError(ErrorCode.streamClosed, `${frame} came on stream ${id} after its end`);
  }

  /**
   * Whether DATA of `bytes` on this closed stream was sent before the peer could know that it is closed; undefined: we never reset it. A client
   * cancels streams all the time and servers respond late, so a client always allows it.
   */
  dataAfterReset(id: number, bytes: number, endStream: boolean): Arrival | undefined {
    if (this.role === "client" || id > this.lastAllowedStreamId) return "inFlight";
    return this.locallyEnded?.data(id, bytes, endStream);
  }

  /** The same for a header block, of which only one can follow: the trailers, which end the stream. */
  trailersAfterReset(id: number): Arrival | undefined {
    if (this.role === "client" || id > this.lastAllowedStreamId) return "inFlight";
    return this.locallyEnded?.end(id);
  }

  /** The peer has reset a stream that is closed already. */
  resetAfterEnd(id: number): void {
    this.locallyEnded?.end(id);
  }
}
