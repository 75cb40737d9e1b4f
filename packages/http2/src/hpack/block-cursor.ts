/** Where the decoder stands in a header block. One lives as long as its decoder: a block needs no cursor of its own. */
export class BlockCursor {
  bytes: Uint8Array;
  /** The next byte to read. */
  position = 0;
  /** Behind the block's last byte; `bytes` may go on with something else. */
  end = 0;
  /** Decoded size of the string literal read last, also when it was only measured. */
  stringBytes = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}
