import { ErrorCode } from "../../errors/error-code.ts";
import { connectionError } from "../../errors/http2-error.ts";
import { Setting } from "../../frame/settings.ts";
import { initialWindowBytes } from "../../stream/window.ts";
import type { FrameWriter } from "../frame-writer.ts";
import type { Role } from "../role.ts";
import type { StreamTable } from "../streams/stream-table.ts";

/** RFC 9113 §5.1.2 sets no number until the peer's SETTINGS come; everybody assumes this one. */
const assumedMaxConcurrentStreams = 100;

/** The peer's SETTINGS, and what follows from each (RFC 9113 §6.5.2). */
export class PeerSettings {
  /** Its first SETTINGS frame is here. */
  received = false;
  maxConcurrentStreams = assumedMaxConcurrentStreams;
  /** The send window of a new stream. */
  initialWindowBytes = initialWindowBytes;
  /** Advice only; Infinity when the peer has not said. */
  maxHeaderListBytes = Number.POSITIVE_INFINITY;
  private readonly role: Role;
  private readonly streams: StreamTable;
  private readonly frames: FrameWriter;

  constructor(role: Role, streams: StreamTable, frames: FrameWriter) {
    this.role = role;
    this.streams = streams;
    this.frames = frames;
  }

  /** Throws where the value is the peer's error; its range has been looked at before. */
  apply(setting: number, value: number): void {
    switch (setting) {
      case Setting.headerTableSize:
        this.frames.setPeerMaxTableBytes(value);
        break;
      case Setting.enablePush:
        if (this.role === "client" && value === 1) {
          throw connectionError(ErrorCode.protocolError, "a server must not set SETTINGS_ENABLE_PUSH to 1");
        }
        break;
      case Setting.maxConcurrentStreams:
        this.maxConcurrentStreams = value;
        break;
      case Setting.initialWindowSize:
        this.shiftSendWindows(value - this.initialWindowBytes);
        this.initialWindowBytes = value;
        break;
      case Setting.maxFrameSize:
        this.frames.maxFrameBytes = value;
        break;
      case Setting.maxHeaderListSize:
        this.maxHeaderListBytes = value;
        break;
      default:
    }
  }

  private shiftSendWindows(bytes: number): void {
    for (const stream of this.streams.all()) {
      if (stream.send.shift(bytes)) continue;
      throw connectionError(ErrorCode.flowControlError, "SETTINGS_INITIAL_WINDOW_SIZE took a window over 2^31-1");
    }
  }
}
