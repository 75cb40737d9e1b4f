/** The part of a `net.Socket` or `tls.TLSSocket` that a connection uses; an in-memory pair can replace it. */
export interface ByteChannel {
  /** `written` is called, never from within `write`, once these bytes have left. */
  write(bytes: Uint8Array, written?: () => void): boolean;
  /** Bytes handed to `write` that have not left yet. */
  readonly writableLength: number;
  /** The other end, while the socket is open; absent where ends do not have addresses. */
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  /** Of sockets with TLS. */
  getCipher?(): { readonly standardName: string } | undefined;
  getX509Certificate?(): { readonly raw: Uint8Array } | undefined;
  getPeerX509Certificate?(): { readonly raw: Uint8Array } | undefined;
  /** Whether the channel keeps the process alive, as `net.Socket` has it; absent where it never does. */
  ref?(): unknown;
  unref?(): unknown;
  cork(): void;
  uncork(): void;
  pause(): unknown;
  resume(): unknown;
  end(): unknown;
  destroy(error?: Error): unknown;
}
