/** The decoder's position in a header block. A decoder has one for all its blocks. */
export class BlockCursor {
  bytes: Uint8Array;
  /** The next byte to read. */
  position = 0;
  /** The offset after the block's last byte; `bytes` may hold more. */
  end = 0;
  /** Decoded size of the string literal read last, also when it was only measured. */
  stringBytes = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}
