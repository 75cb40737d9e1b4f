import { ErrorCode } from "../../errors/error-code.ts";
import { limitError } from "../../errors/http2-error.ts";
import type { ConnectionLimits } from "../limits.ts";
import type { HeaderFrame } from "./header-reception.ts";

/**
 * A header block whose frames have not all arrived (RFC 9113 §6.10). It is collected before it is decoded, which is safe
 * because its frames and bytes are bounded.
 */
export class HeaderAssembly {
  readonly frame: HeaderFrame;
  readonly startedAtMs: number;
  private readonly limits: ConnectionLimits;
  private readonly fragments: Uint8Array[] = [];
  private bytes = 0;
  private continuations = 0;

  constructor(frame: HeaderFrame, startedAtMs: number, limits: ConnectionLimits) {
    this.frame = frame;
    this.startedAtMs = startedAtMs;
    this.limits = limits;
  }

  /** The fragment of the HEADERS frame. */
  begin(bytes: Uint8Array, start: number, end: number): void {
    this.add(bytes, start, end);
  }

  /** The fragment of a CONTINUATION frame. Throws when the block grows over its limits. */
  proceed(bytes: Uint8Array, start: number, end: number): void {
    this.continuations++;
    if (this.continuations > this.limits.headers.maxContinuationFrames) {
      throw limitError(
        "header_block",
        ErrorCode.enhanceYourCalm,
        `more than ${this.limits.headers.maxContinuationFrames} CONTINUATION frames`,
      );
    }
    this.add(bytes, start, end);
  }

  complete(): Uint8Array {
    return Buffer.concat(this.fragments, this.bytes);
  }

  private add(bytes: Uint8Array, start: number, end: number): void {
    this.bytes += end - start;
    if (this.bytes > this.limits.headers.maxBlockBytes) {
      throw limitError(
        "header_block",
        ErrorCode.enhanceYourCalm,
        `a header block is over ${this.limits.headers.maxBlockBytes} compressed bytes`,
      );
    }
    // The frame's bytes are valid only during the call, and a view would keep the whole chunk alive.
    this.fragments.push(new Uint8Array(bytes.subarray(start, end)));
  }
}
